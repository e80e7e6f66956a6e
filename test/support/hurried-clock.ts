import { systemClock } from '../../src/system/clock.ts';
import type { Clock } from '../../src/core/clock.ts';

/** A clock that runs `factor` times as fast as the real one, against real peers: deadlines of seconds take moments. */
export function hurriedClock(factor: number): Clock {
  const start = systemClock.now();
  return {
    now: () => start + (systemClock.now() - start) * factor,
    elapsed: () => systemClock.elapsed() * factor,
    after: (delay, callback) => systemClock.after(delay / factor, callback),
  };
}
