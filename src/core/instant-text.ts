import type { EpochMs } from './clock.ts';

/** An instant for a person, to the second: `2026-11-25T12:03:00Z`. */
export function instantText(at: EpochMs): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an unreadable date' : date.toISOString().replace(/\.\d+Z$/u, 'Z');
}

/** `2026-11-24 13:00:05 UTC` */
export function utcText(at: EpochMs): string {
  return isoTime(at).replace(/T(.{8}).*$/u, ' $1 UTC');
}

/** The furthest that a date can be from 1970, in milliseconds (ECMA-262, "Time Values and Time Range"). */
const FURTHEST = 8.64e15;

/** ISO 8601, UTC. What was read from a damaged file may be no time at all. */
export function isoTime(at: EpochMs): string {
  return Math.abs(at) <= FURTHEST ? new Date(at).toISOString() : 'no time';
}

export function isoTimeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : isoTime(at);
}

/** Its day: `2026-11-25`. */
export function dayText(at: EpochMs): string {
  return instantText(at).replace(/T.*$/u, '');
}
