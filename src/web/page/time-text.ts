import type { EpochMs, Millis } from '../../core/clock.ts';
import { type Zone, zoneOf } from '../../core/zoned-text.ts';
import { type Markup, markup } from './markup.ts';

/** For whom a page is written: when, and in which zone it shows times. */
export interface Reader {
  readonly now: EpochMs;
  readonly zone: Zone;
}

/** @param timezone IANA name */
export function readerAt(now: EpochMs, timezone: string): Reader {
  return { now, zone: zoneOf(timezone) };
}

const SECOND: Millis = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One figure and its unit: `42 s`, `5 min`, `3 h`, `12 d`. */
export function spanText(span: Millis): string {
  const size = Math.abs(span);
  if (size < MINUTE) return `${String(Math.floor(size / SECOND))} s`;
  if (size < HOUR) return `${String(Math.floor(size / MINUTE))} min`;
  return size < 2 * DAY ? `${String(Math.floor(size / HOUR))} h` : `${String(Math.floor(size / DAY))} d`;
}

/** How long something took: `0.2 s`, `1.2 s`, `14 s`. */
export function durationText(span: Millis): string {
  return span < 10 * SECOND ? `${(span / SECOND).toFixed(1)} s` : spanText(span);
}

/**
 * `5 min ago`, `in 18 s`, `now`. static/live.js says the same, so that the page stays right while it stands.
 * @internal
 */
export function distanceText(at: EpochMs, now: EpochMs): string {
  if (Math.abs(at - now) < SECOND) return 'now';
  return at < now ? `${spanText(now - at)} ago` : `in ${spanText(at - now)}`;
}

/** A distance that the browser keeps up to date; the exact time shows when it is pointed at. */
export function distance(at: EpochMs, { now, zone }: Reader): Markup {
  return markup`<time datetime="${new Date(at).toISOString()}" title="${zone.text(at)}" data-distance>${distanceText(at, now)}</time>`;
}
