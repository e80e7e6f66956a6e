import type { Clock, Millis } from '../core/clock.ts';

/**
 * Calls again and again, until the returned function is called: at whole multiples of `every` on the monotonic clock,
 * so that all that beats wakes the process at the same moments. An idle daemon spends most on waking up.
 *
 * @param call with the moment at which it was due
 */
export function beat(clock: Clock, every: Millis, call: (due: Millis) => void): () => void {
  let cancel = next();

  function next(): () => void {
    const now = clock.elapsed();
    const due = (Math.floor(now / every) + 1) * every;
    // Timers count whole milliseconds, and one that came too early would come twice.
    return clock.after(Math.ceil(due - now), () => {
      cancel = next();
      call(due);
    });
  }

  return () => cancel();
}
