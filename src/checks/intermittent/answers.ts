import { type EpochMs, isRecent, type Millis } from '../../core/clock.ts';
import { type Finding, isFault } from '../../engine/model.ts';
import { withMoreSaid } from '../../engine/words.ts';

/** A fault in the DNS answers, and which of the last rounds found it. */
interface AnswerFault {
  readonly finding: Finding;
  readonly at: EpochMs;
  /** Oldest first. */
  readonly rounds: readonly boolean[];
  /** The fault is intermittent, so that it is also reported in rounds that do not find it. */
  readonly isIntermittent: boolean;
}

export type AnswerFaults = readonly AnswerFault[];

const ROUNDS = 10;
/** Separate outages do not change this often in `ROUNDS` rounds. */
const FEWEST_CHANGES = 5;
const REPAIRED_AFTER: Millis = 300_000;

/**
 * Answers can be wrong in every second round, for example if one of two servers behind a resolver's address is at
 * fault. Such a fault is reported in each round until the answers have been right for five minutes.
 * @param findings about the answers of this round
 */
export function answersAfter(before: AnswerFaults, findings: readonly Finding[], now: EpochMs): AnswerFaults {
  const found = findings.filter(isFault);
  const known = before.map((fault) => {
    const again = found.find((finding) => isSame(finding, fault.finding));
    return after({ ...fault, ...(again === undefined ? {} : { finding: again, at: now }) }, again !== undefined, now);
  });
  const added = found
    .filter((finding) => !before.some((fault) => isSame(finding, fault.finding)))
    .map((finding): AnswerFault => ({ finding, at: now, rounds: [true], isIntermittent: false }));
  return [...known.filter(({ rounds, isIntermittent }) => isIntermittent || rounds.includes(true)), ...added];
}

/** Returns the findings about intermittent faults that this round's answers do not have. */
export function earlierAnswers(faults: AnswerFaults): readonly Finding[] {
  return faults.filter(({ isIntermittent, rounds }) => isIntermittent && rounds.at(-1) === false).map(toldAgain);
}

function isSame(a: Finding, b: Finding): boolean {
  return (
    a.rule === b.rule && a.subject === b.subject && a.suggests === b.suggests && a.facts?.resolver === b.facts?.resolver
  );
}

function after(fault: AnswerFault, isFound: boolean, now: EpochMs): AnswerFault {
  const rounds = [...fault.rounds, isFound].slice(-ROUNDS);
  const changes = rounds.filter((round, index) => index > 0 && round !== rounds[index - 1]).length;
  const isIntermittent = (fault.isIntermittent || changes >= FEWEST_CHANGES) && isRecent(fault.at, now, REPAIRED_AFTER);
  return { ...fault, rounds, isIntermittent };
}

function toldAgain({ finding, at, rounds }: AnswerFault): Finding {
  const count = rounds.filter(Boolean).length;
  const share = `found in ${String(count)} of the last ${String(rounds.length)} checks`;
  return { ...withMoreSaid(finding, '; ', share), at: finding.at ?? at };
}
