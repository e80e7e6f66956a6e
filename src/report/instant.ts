import type { EpochMs } from '../core/clock.ts';

/** The furthest that a date can be from 1970, in milliseconds (ECMA-262, "Time Values and Time Range"). */
const FURTHEST = 8.64e15;

/** ISO 8601, UTC. What was read from a damaged file may be no time at all. */
export function isoTime(at: EpochMs): string {
  return Math.abs(at) <= FURTHEST ? new Date(at).toISOString() : 'no time';
}

/** As it may stand in the name of a file, and sorts by time: `20261124T195500Z`. */
export function fileTime(at: EpochMs): string {
  return isoTime(at)
    .replaceAll(/[-:]|\.\d+/gu, '')
    .replace(' ', '-');
}
