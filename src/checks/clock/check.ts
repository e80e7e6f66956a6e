import type { Declaration } from '../declaration.ts';
import { judged, notConfigured } from '../judgement.ts';
import { CLOCK_CAUSES, type ClockCause } from './causes.ts';
import { judgeClock } from './judge.ts';

export const clock: Declaration<'clock', ClockCause> = {
  id: 'clock',
  title: 'Clock',
  dependsOn: [],
  explainedBy: [],
  causes: CLOCK_CAUSES,
  unknownRemedy: 'Name time servers in "clock.ntp" that this machine may ask: UDP port 123.',
  place: { kind: 'branch', name: 'Clock', hint: 'of this monitor' },
  step: 'tls',
  from: 'round',
  // Without an NTP server the time is a by-product of other answers: when none has it, nothing is missing.
  judge: ({ config: { clock: settings }, clock: observations }) =>
    settings.ntp.length === 0 && !observations.some(({ outcome }) => outcome.kind === 'offset')
      ? notConfigured('No NTP server is configured, and no answer told the time')
      : judged(judgeClock(observations, settings.maxOffset), 'The clock agrees with other clocks'),
};
