import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Diagnosis } from '../diagnosis.ts';
import type { Cause } from '../cause.ts';
import type { Check } from '../check.ts';
import type { Finding } from '../finding.ts';

/** What was told longer ago may be about a time that is past. */
const RECENT: Millis = 60_000;
/** Another moment: as long before this round as the next one that is asked for would begin after it. */
const APART: Millis = 3_000;

/** What points at one cause in one round. */
export interface Evidence {
  /** The check that found it. */
  readonly stage: Pick<Check, 'byOneConnection'>;
  readonly main: Finding;
  /** All that is about the same subject. */
  readonly findings: readonly Finding[];
  /** Of what the cause explains. */
  readonly attached: readonly Finding[];
}

/**
 * Whether two witnesses agree on the cause of a fault, one of which no blink explains: another look a moment later
 * would prove nothing more. One kind of witness is never enough, however often it says so in one round.
 * @param at when the round began
 */
export function areTwoWitnesses({ stage, main, findings, attached }: Evidence, at: EpochMs): boolean {
  if (main.level !== 'broken' || main.confidence === 'suspected') return false;
  const agreeing = findings.filter(({ suggests }) => suggests === main.suggests);
  const testifying = attached.filter(({ witness }) => witness !== undefined);
  const kinds = [main, ...agreeing, ...testifying]
    .filter((finding) => counts(finding, at))
    .map(({ witness }) => witness)
    .filter((witness) => stage.byOneConnection !== true || witness === undefined || witness === 'firewall');
  return new Set(kinds).size > 1;
}

function counts({ witness, at: seenAt }: Finding, at: EpochMs): boolean {
  const age = seenAt === undefined ? 0 : at - seenAt;
  if (witness === undefined) return seenAt === undefined;
  switch (witness) {
    case 'other-host':
      return seenAt === undefined;
    case 'appliance-log':
    case 'firewall':
      return age < RECENT;
    case 'peer':
      return age >= APART && age < RECENT;
  }
}

export function isCorroborated(
  { corroborated = [] }: Diagnosis,
  { id, subject }: Pick<Cause, 'id' | 'subject'>,
): boolean {
  return corroborated.some((cause) => cause.id === id && cause.subject === subject);
}
