import type { Declaration } from '../check.ts';
import { judged, notConfigured } from '../judgement.ts';
import { CLOCK_CAUSES, type ClockCause } from './causes.ts';
import type { Millis } from '../../core/clock.ts';
import { nameList } from '../../core/phrases.ts';
import { withMore } from '../../engine/words.ts';
import { spanText } from '../../core/time-text.ts';
import { type Finding, note, unknown } from '../../engine/model.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { estimateClock } from './estimate.ts';

const RULE = 'clock-agrees';
export const CLOCK_SUBJECT = 'the clock of this machine';

export function judgeClock(observations: readonly ClockObservation[], maxOffset: Millis): readonly Finding[] {
  const expected = `less than ${spanText(maxOffset)} difference from other clocks`;
  const estimate = estimateClock(observations);
  if (estimate === null) return [timeUnknown(observations, expected)];
  const { offsetMs, precisionMs, supporters, trusted } = estimate;
  if (Math.abs(offsetMs) - precisionMs <= maxOffset) return [];
  const off = `${spanText(Math.abs(offsetMs))} ${offsetMs > 0 ? 'behind' : 'ahead'}`;
  const claim = `The clock is ${off}, according to ${nameList(supporters, 3)}.`;
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected };
  return [
    trusted
      ? { ...told, level: 'warning', suggests: 'clock-skewed', facts: { found: off } }
      : note({ ...told, claim: withMore(claim, ' ', 'alone, which may be wrong') }),
  ];
}

function timeUnknown(observations: readonly ClockObservation[], expected: string): Finding {
  const failures = observations.flatMap(({ source, outcome }) =>
    outcome.kind === 'failed' ? [`${source}: ${outcome.message}`] : [],
  );
  const quote = failures.slice(0, 3).join('; ');
  const claim = 'No source returned the time.';
  const told = { rule: RULE, subject: CLOCK_SUBJECT, claim, expected, ...(quote === '' ? {} : { quote }) };
  return observations.some(({ protocol }) => protocol === 'ntp') ? unknown(told) : note(told);
}

export const clock: Declaration<'clock', ClockCause> = {
  id: 'clock',
  title: 'Clock',
  dependsOn: [],
  causes: CLOCK_CAUSES,
  unknownRemedy: 'List time servers in "clock.ntp" that this machine can reach on UDP port 123.',
  place: { kind: 'branch', name: 'Clock', hint: 'of this monitor' },
  step: 'tls',
  from: 'round',
  // Without an NTP server, the time is known only if an HTTP response contains it. A missing time is not a fault then.
  judge: ({ config: { clock: settings }, clock: observations }) =>
    settings.ntp.length === 0 && !observations.some(({ outcome }) => outcome.kind === 'offset')
      ? notConfigured('No NTP server is configured, and no answer contained the time')
      : judged(judgeClock(observations, settings.maxOffset), 'The clock agrees with other clocks'),
};
