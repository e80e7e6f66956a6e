import type { Millis } from './clock.ts';

/** What says of itself how long this process stood still during it. */
export interface Timed {
  readonly stalledMs: Millis;
}

/** A process that stood still for longer than this measured itself, not its targets. */
const TOLERATED_STALL: Millis = 1_000;

/** Whether a round says nothing about its targets, because this process stood still during it. */
export function isInvalid({ stalledMs }: Timed): boolean {
  return stalledMs > TOLERATED_STALL;
}
