import { certificatePem } from '../core/certificate-pem.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { RoundObservations } from '../sources/registry.ts';
import type { JudgedRound } from '../checks/judged-round.ts';
import { isInvalid } from '../core/invalid-round.ts';
import type { RoundRecord } from '../store/history.ts';
import { samplesOf } from '../sources/samples-of.ts';
import type { HourlyValue } from '../store/figures.ts';

/** What of a round is kept in the history. One that is void saw nothing that its targets could be held to. */
export function roundRecord(
  round: RoundObservations,
  judged: JudgedRound,
  { preconditions }: Diagnosis,
  figures: readonly HourlyValue[],
): RoundRecord {
  if (isInvalid(round)) return { at: round.startedAt, samples: [], preconditions, certificates: [], figures };
  return {
    at: round.startedAt,
    samples: samplesOf(round),
    preconditions,
    figures,
    certificates: judged.tls.flatMap(({ path, judged: { endpoints } }) =>
      endpoints.flatMap(({ outcome }) => {
        const leaf = outcome.chain?.certificates[0];
        return leaf === undefined
          ? []
          : [{ target: path.subject, fingerprint: leaf.fingerprint, pem: certificatePem(leaf) }];
      }),
    ),
  };
}
