import type { Millis } from '../core/clock.ts';

const FIRST: Millis = 5_000;
const LONGEST: Millis = 5 * 60_000;

/** Mail servers give up after five days (RFC 5321 §4.5.4.1); nobody acts on an alert that old. */
export const GIVE_UP_AFTER: Millis = 5 * 86_400_000;

/** How long to wait after so many failures in a row: twice as long each time, five minutes at most. */
export function retryDelay(attempts: number): Millis {
  return Math.min(LONGEST, FIRST * 2 ** Math.min(Math.max(0, attempts - 1), 20));
}
