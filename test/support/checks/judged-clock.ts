import { clock } from '../../../src/checks/clock/judge.ts';
import type { ClockObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { judgedBy } from './judged-by.ts';

const config = await configOf('clock: { ntp: [ntp.example.test], maxOffset: 60s }');

/** Returns the findings of the clock check if an NTP server is configured and a minute is allowed. */
export function judgeClock(observations: readonly ClockObservation[]): readonly Finding[] {
  return judgedBy(clock, { config, clock: observations });
}
