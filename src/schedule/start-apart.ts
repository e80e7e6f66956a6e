import type { Clock, Millis } from '../core/clock.ts';
import { sleep } from '../system/clock.ts';

export interface StartApart {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** From one start to the next, on average. */
  readonly gap: Millis;
}

/**
 * Starts work on each item in a slot of its own, at a random moment of it: what starts in the same instant falsifies
 * its own timings on one thread. As soon as the signal is aborted the rest starts at once, for it to say so. The results
 * are in the order of the items.
 */
export function startApart<T, R>(
  items: readonly T[],
  { clock, signal, gap }: StartApart,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  return Promise.all(
    items.map(async (item, slot) => {
      await sleep(clock, (slot + Math.random()) * gap, signal).catch(() => undefined);
      return work(item);
    }),
  );
}
