import type { Clock, Millis } from '../core/clock.ts';
import { sleep } from '../system/clock.ts';

export interface StartApart {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** From one start to the next. */
  readonly gap: Millis;
}

/**
 * Starts work on one item after the other, whether or not those before have ended: what starts in the same instant
 * falsifies its own timings on one thread. As soon as the signal is aborted the rest starts at once, for it to say so.
 * The results are in the order of the items.
 */
export function startApart<T, R>(
  items: readonly T[],
  { clock, signal, gap }: StartApart,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  return Promise.all(
    items.map(async (item, index) => {
      await sleep(clock, index * gap, signal).catch(() => undefined);
      return work(item);
    }),
  );
}
