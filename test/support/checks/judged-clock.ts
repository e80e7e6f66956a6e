import { clock } from '../../../src/checks/clock/judge.ts';
import type { ClockObservation } from '../../../src/core/observation.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { configOf } from '../config/config-of.ts';
import { round } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

const config = await configOf('clock: { ntp: [ntp.example.test], maxOffset: 60s }');

/** Returns the findings of the clock check if an NTP server is configured and a minute is allowed. */
export const judgeClock = withPlainClaims((observations: readonly ClockObservation[]): readonly Finding[] => {
  if (clock.from !== 'round') throw new Error('Expected a check of the round');
  const facts = { config, round: round(), carriers: [], clock: observations, answered: new Set<string>() };
  return clock.judge(facts).findings;
});
