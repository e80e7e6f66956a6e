import type { Declaration, Facts, HeardLog, RoundFacts, TargetFacts } from '../../../src/checks/check.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { factsOf, roundFacts, targetFacts } from './facts.ts';
import { withPlainClaims } from './plain-claim.ts';

type Known = Partial<Omit<Facts, 'round' | 'log'> & Omit<RoundFacts, 'targets'> & TargetFacts & Omit<HeardLog, 'kind'>>;

/** Returns a check's findings about these facts, whose claims must be plain. What is not given was not observed. */
export const judgedBy = withPlainClaims((check: Declaration, known: Known): readonly Finding[] => {
  const { report, preconditionOf, faultsSeen = [], lasting = [], unknownSenders = [], ...others } = known;
  const { observations, clock, answered, ...rest } = others;
  const round = roundFacts({
    targets: [targetFacts(rest)],
    ...(observations === undefined ? {} : { observations }),
    ...(clock === undefined ? {} : { clock }),
    ...(answered === undefined ? {} : { answered }),
  });
  const rejections = known.certificateRejections;
  const log: Facts['log'] | null =
    report === undefined || preconditionOf === undefined
      ? null
      : {
          kind: 'heard',
          report,
          preconditionOf,
          faultsSeen,
          lasting,
          unknownSenders,
          ...(rejections === undefined ? {} : { certificateRejections: rejections }),
        };
  return check.judge(factsOf({ ...rest, round, ...(log === null ? {} : { log }) })).findings;
});
