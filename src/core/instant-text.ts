import type { EpochMs } from './clock.ts';

/** An instant for a person, to the second: `2026-11-25T12:03:00Z`. */
export function instantText(at: EpochMs): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an unreadable date' : date.toISOString().replace(/\.\d+Z$/u, 'Z');
}

/** Its day: `2026-11-25`. */
export function dayText(at: EpochMs): string {
  return instantText(at).replace(/T.*$/u, '');
}
