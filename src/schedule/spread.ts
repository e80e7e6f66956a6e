import { createHash } from 'node:crypto';

import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { createCronTimer, periodOf, type CronListener, type CronTimer } from './cron-timer.ts';

export interface Schedule {
  readonly expression: string;
  readonly timezone: string;
  /** What sets this daemon apart from the others: its site. */
  readonly seed: string;
}

const LARGEST_SHARE = 0.1;
const LONGEST: Millis = 5_000;

/**
 * A cron timer that calls a little after each time of its expression. Many sites share the default schedule and the
 * vendor's server: each keeps an offset of its own, so that they do not all come in the same instant, and always the
 * same one, so that the distance from run to run does not change.
 * @throws {RangeError} when the expression or the zone is not valid
 */
export function createSpreadTimer(
  { expression, timezone, seed }: Schedule,
  clock: Clock,
  { onTime, onMissed }: CronListener,
): CronTimer {
  let waiting: { readonly at: EpochMs; readonly cancel: () => void } | null = null;
  const timer = createCronTimer(expression, timezone, {
    onMissed,
    onTime: (slot) => {
      if (drop()) onMissed();
      const at = slot + offset;
      const cancel = clock.after(Math.max(0, at - clock.now()), () => {
        waiting = null;
        onTime(at);
      });
      waiting = { at, cancel };
    },
  });
  const offset = offsetOf(`${seed} ${expression}`, periodOf(expression));

  function drop(): boolean {
    const dropped = waiting !== null;
    waiting?.cancel();
    waiting = null;
    return dropped;
  }

  return {
    start: () => timer.start(),
    restart: () => {
      drop();
      timer.restart();
    },
    stop: () => {
      drop();
      timer.stop();
    },
    nextRun: () => {
      const next = timer.nextRun();
      return waiting?.at ?? (next === null ? null : next + offset);
    },
  };
}

/** Up to a tenth of the period, and to 5 s; the same for the same seed. @internal */
export function offsetOf(seed: string, period: Millis): Millis {
  const share = createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * Math.min(LONGEST, period * LARGEST_SHARE));
}
