import { systemClock } from '../../../src/system/clock.ts';
import type { Clock } from '../../../src/core/clock.ts';

/**
 * Returns a clock that is `factor` times as fast as the real one, so that deadlines of seconds pass quickly with real
 * peers.
 */
export function hurriedClock(factor: number): Clock {
  const start = systemClock.now();
  return {
    now: () => start + (systemClock.now() - start) * factor,
    elapsed: () => systemClock.elapsed() * factor,
    after: (delay, callback) => systemClock.after(delay / factor, callback),
  };
}
