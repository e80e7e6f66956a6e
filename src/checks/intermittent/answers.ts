import { type EpochMs, isRecent, type Millis } from '../../core/clock.ts';
import { type Finding, isFault } from '../../engine/model.ts';
import { withMoreSaid } from '../../engine/words.ts';

/** A fault in the DNS answers, and which of the last rounds found it. */
interface AnswerFault {
  readonly finding: Finding;
  readonly at: EpochMs;
  /** Oldest first. */
  readonly looks: readonly boolean[];
  /** The fault comes and goes, so that it stands in a round that does not find it. */
  readonly stands: boolean;
}

export type AnswerFaults = readonly AnswerFault[];

const LOOKS = 10;
/** Separate outages do not change this often in `LOOKS` rounds. */
const FEWEST_CHANGES = 5;
const REPAIRED_AFTER: Millis = 300_000;

/**
 * Answers can be wrong in every second round, for example if one of two servers behind a resolver's address is at
 * fault. Such a fault is reported in each round until the answers have been right for five minutes.
 */
export function withAnswers(
  before: AnswerFaults,
  findings: readonly Finding[],
  now: EpochMs,
): { readonly faults: AnswerFaults; readonly findings: readonly Finding[] } {
  const found = findings.filter(isFault);
  const known = before.map((fault) => {
    const again = found.find((finding) => isSame(finding, fault.finding));
    return after({ ...fault, ...(again === undefined ? {} : { finding: again, at: now }) }, again !== undefined, now);
  });
  const added = found
    .filter((finding) => !before.some((fault) => isSame(finding, fault.finding)))
    .map((finding): AnswerFault => ({ finding, at: now, looks: [true], stands: false }));
  const faults = [...known.filter(({ looks, stands }) => stands || looks.includes(true)), ...added];
  const standing = known.filter(({ stands, at }) => stands && at < now).map(toldAgain);
  return { faults, findings: [...findings, ...standing] };
}

function isSame(a: Finding, b: Finding): boolean {
  return (
    a.rule === b.rule && a.subject === b.subject && a.suggests === b.suggests && a.facts?.resolver === b.facts?.resolver
  );
}

function after(fault: AnswerFault, isFound: boolean, now: EpochMs): AnswerFault {
  const looks = [...fault.looks, isFound].slice(-LOOKS);
  const changes = looks.filter((look, index) => index > 0 && look !== looks[index - 1]).length;
  const stands = (fault.stands || changes >= FEWEST_CHANGES) && isRecent(fault.at, now, REPAIRED_AFTER);
  return { ...fault, looks, stands };
}

function toldAgain({ finding, at, looks }: AnswerFault): Finding {
  const count = looks.filter(Boolean).length;
  const share = `this was so in ${String(count)} of the last ${String(looks.length)} rounds`;
  return { ...withMoreSaid(finding, '; ', share), at: finding.at ?? at };
}
