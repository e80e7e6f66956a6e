import type { Clock, Millis } from '../core/clock.ts';

/** Lets work begin bit by bit: what is due in the same instant would falsify its own timings, and hold up everything else. */
export interface Pace {
  /** Resolves when it is this caller's turn, in the order of asking; at once when the signal is aborted. Never rejects. */
  turn(signal: AbortSignal): Promise<void>;
}

export interface PaceOptions {
  /** How many may begin at once after a while of rest, at least 1. */
  readonly atOnce: number;
  /** From one beginning to the next, after those. */
  readonly gap: Millis;
}

/** One timer for all who wait: after a stall they still come one by one. */
export function createPace(clock: Clock, { atOnce, gap }: PaceOptions): Pace {
  const queue = new Set<() => void>();
  const credit = (atOnce - 1) * gap;
  /** When the next one would begin if all were evenly spaced. */
  let even: Millis = Number.NEGATIVE_INFINITY;
  let isArmed = false;

  function take(): boolean {
    const now = clock.elapsed();
    if (now < even - credit) return false;
    even = Math.max(even, now) + gap;
    return true;
  }

  function arm(): void {
    if (isArmed || queue.size === 0) return;
    isArmed = true;
    clock.after(Math.max(0, even - credit - clock.elapsed()), () => {
      isArmed = false;
      const [next] = queue;
      if (next !== undefined && take()) next();
      arm();
    });
  }

  return {
    turn: (signal) => {
      if (signal.aborted || (queue.size === 0 && take())) return Promise.resolve();
      return new Promise((resolve) => {
        const enter = (): void => {
          queue.delete(enter);
          signal.removeEventListener('abort', enter);
          resolve();
        };
        queue.add(enter);
        signal.addEventListener('abort', enter, { once: true });
        arm();
      });
    },
  };
}

/** How long it takes until the last of `count` begins. */
export function paceTime({ atOnce, gap }: PaceOptions, count: number): Millis {
  return Math.max(0, count - atOnce) * gap;
}
