import type { Clock, Millis } from '../core/clock.ts';
import { sleep } from './clock.ts';

interface StartApart {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly gap: Millis;
}

/**
 * Starts work on the items one after another, because starting them simultaneously would distort their measured times.
 * When the signal is aborted, the remaining items start immediately, so that they can report the abort.
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
