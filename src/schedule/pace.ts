import type { Clock, Millis } from '../core/clock.ts';

/**
 * Lets work begin bit by bit: what begins in the same instant falsifies its own timings on one thread, and holds up
 * everything else. A handful begins at once; a thousand begin one by one.
 */
export interface Pace {
  /**
   * Begins `work` when it is its turn and there is room, in the order of asking; as soon as the signal is aborted at
   * once, for it to say so.
   */
  begin<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export interface PaceOptions {
  /** How many may begin at once after a while of rest, at least 1. */
  readonly atOnce: number;
  /** From one beginning to the next, after those. */
  readonly gap: Millis;
  /** How many may be under way: it bounds the open sockets. At least `atOnce`. */
  readonly underWay: number;
}

/** One timer for all who wait: after a stall they still come one by one. */
export function createPace(clock: Clock, options: PaceOptions): Pace {
  const queue = new Set<() => void>();
  const rhythm = createRhythm(clock, options);
  let running = 0;
  let isArmed = false;

  const hasRoom = (): boolean => running < options.underWay;

  function arm(): void {
    if (isArmed || queue.size === 0 || !hasRoom()) return;
    isArmed = true;
    clock.after(rhythm.wait(), () => {
      isArmed = false;
      const [next] = queue;
      if (next !== undefined && hasRoom() && rhythm.take()) next();
      arm();
    });
  }

  function turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted || (queue.size === 0 && hasRoom() && rhythm.take())) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const enter = (): void => {
        queue.delete(enter);
        signal.removeEventListener('abort', enter);
        running += 1;
        resolve();
      };
      queue.add(enter);
      signal.addEventListener('abort', enter, { once: true });
      arm();
    });
  }

  return {
    begin: async (work, signal) => {
      await turn(signal);
      try {
        return await work();
      } finally {
        running -= 1;
        arm();
      }
    },
  };
}

/** How long it takes until the last of `count` begins. */
export function paceTime({ atOnce, gap }: PaceOptions, count: number): Millis {
  return Math.max(0, count - atOnce) * gap;
}

interface Rhythm {
  /** True when one may begin now, which is noted. */
  take(): boolean;
  /** Until then. */
  wait(): Millis;
}

function createRhythm(clock: Clock, { atOnce, gap }: PaceOptions): Rhythm {
  const ahead = (atOnce - 1) * gap;
  /** When the next one would begin if all were evenly spaced. */
  let even: Millis = Number.NEGATIVE_INFINITY;
  const wait = (): Millis => Math.max(0, even - ahead - clock.elapsed());
  return {
    wait,
    take: () => {
      if (wait() > 0) return false;
      even = Math.max(even, clock.elapsed()) + gap;
      return true;
    },
  };
}
