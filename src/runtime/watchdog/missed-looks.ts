import type { Millis } from '../../core/clock.ts';

/** Result of one check by the watchdog thread. */
interface Look {
  /** A counter that increases with every beat of the monitored loop. */
  readonly beats: number;
  /** Time since the previous check. */
  readonly after: Millis;
}

/** State of a monitored loop. */
export interface Watched {
  readonly beats: number;
  /** Number of consecutive checks without a new beat. */
  readonly missed: number;
}

/** Interval of checks, and of the loop's beats. */
export const LOOK_EVERY: Millis = 5_000;

/**
 * Number of checks within one minute. A minute is longer than any single task of the loop, and users are willing to
 * wait that long.
 */
export const MOST_MISSED = 12;

/**
 * Returns the state after another check. Checks are counted instead of time. If the thread itself is late, because the
 * machine was suspended or the process was stopped, the check proves nothing about the loop.
 */
export function afterLook({ beats, missed }: Watched, look: Look): Watched {
  const isLate = look.after >= 2 * LOOK_EVERY;
  return { beats: look.beats, missed: isLate || look.beats !== beats ? 0 : missed + 1 };
}
