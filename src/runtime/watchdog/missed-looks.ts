import type { Millis } from '../../core/clock.ts';

/** What one look of the watching thread finds. */
export interface Look {
  /** Grows with every beat of the watched loop. */
  readonly beats: number;
  /** How long it is since the look before this one. */
  readonly after: Millis;
}

/** Of a loop that is watched. */
export interface Watched {
  readonly beats: number;
  /** Looks in a row that found no new beat. */
  readonly missed: number;
}

/** The loop beats as often. */
export const LOOK_EVERY: Millis = 5_000;

/** A minute: longer than anything that the loop does in one go, shorter than the patience of those who wait. */
export const MOST_MISSED = 12;

/**
 * What is known after one more look. Looks are counted, not time: a thread that looks late stood still too, as when the
 * machine sleeps or the process is stopped, and has nothing to say about the loop.
 */
export function afterLook({ beats, missed }: Watched, look: Look): Watched {
  const isLate = look.after >= 2 * LOOK_EVERY;
  return { beats: look.beats, missed: isLate || look.beats !== beats ? 0 : missed + 1 };
}
