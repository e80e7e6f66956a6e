import type { Millis } from '../../core/clock.ts';
import { nameList } from '../../core/name-list.ts';
import { withMore } from '../../engine/words/claim.ts';
import { spanText } from '../../core/duration.ts';
import { type Finding, note, unknown } from '../../engine/finding.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { estimateClock } from './estimate.ts';

const RULE = 'clock-agrees';
export const CLOCK_SUBJECT = 'the clock of this machine';

/** Judges our own clock by what others say. Nothing to compare with is no fault where no NTP server is configured. */
export function judgeClock(observations: readonly ClockObservation[], maxOffset: Millis): readonly Finding[] {
  const expected = `within ${spanText(maxOffset)} of other clocks`;
  const estimate = estimateClock(observations);
  if (estimate === null) return [untold(observations, expected)];
  const { offsetMs, precisionMs, supporters, trusted } = estimate;
  if (Math.abs(offsetMs) - precisionMs <= maxOffset) return [];
  const off = `${spanText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead'}`;
  const claim = `The clock is ${off}, by ${nameList(supporters, 3)}.`;
  const actual = `${off}, says ${supporters.join(', ')}`;
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected, actual };
  return [
    trusted
      ? { ...told, level: 'warning', suggests: 'clock-skewed', facts: { found: off } }
      : note({
          ...told,
          claim: withMore(claim, ' ', 'alone, which may be wrong itself'),
          actual: `${actual} alone, which may be wrong itself`,
        }),
  ];
}

function untold(observations: readonly ClockObservation[], expected: string): Finding {
  const failures = observations.flatMap(({ source, outcome }) =>
    outcome.kind === 'failed' ? [`${source}: ${outcome.message}`] : [],
  );
  const actual = `no source told the time${failures.length === 0 ? '' : `: ${failures.slice(0, 3).join('; ')}`}`;
  const claim = 'No source told the time.';
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected, actual };
  return observations.some(({ protocol }) => protocol === 'ntp') ? unknown(told) : note(told);
}
