import type { EpochMs } from '../../core/clock.ts';
import type { ClockObservation } from '../../core/observation.ts';
import { estimateClock } from './estimate.ts';

/**
 * The best estimate of the true time, for the dates of certificates: `now` unless sources that can be believed say by
 * how much it is wrong.
 */
export function correctedNow(now: EpochMs, observations: readonly ClockObservation[]): EpochMs {
  const estimate = estimateClock(observations);
  if (estimate === null || !estimate.trusted || Math.abs(estimate.offsetMs) <= estimate.precisionMs) return now;
  return Math.round(now + estimate.offsetMs);
}
