import type { Millis } from '../../core/clock.ts';

/** Result of one check by the watching thread. */
interface Look {
  /** Increases with every beat of the watched loop. */
  readonly beats: number;
  /** Time since the previous check. */
  readonly after: Millis;
}

/** State of a watched loop. */
export interface Watched {
  readonly beats: number;
  /** Consecutive checks without a new beat. */
  readonly missed: number;
}

/** Interval of checks, and of the loop's beats. */
export const LOOK_EVERY: Millis = 5_000;

/** One minute: longer than any single task of the loop, and shorter than users are willing to wait. */
export const MOST_MISSED = 12;

/**
 * Returns the state after one more check. Counts checks instead of time: if the thread itself is late, because the
 * machine slept or the process was stopped, the check proves nothing about the loop.
 */
export function afterLook({ beats, missed }: Watched, look: Look): Watched {
  const isLate = look.after >= 2 * LOOK_EVERY;
  return { beats: look.beats, missed: isLate || look.beats !== beats ? 0 : missed + 1 };
}
