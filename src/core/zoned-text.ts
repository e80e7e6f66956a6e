import type { EpochMs } from './clock.ts';
import { utcText } from './instant-text.ts';

/**
 * An instant in a zone and in UTC: `2026-11-24 14:00:05 +01:00 (13:00:05 UTC)`; in UTC alone where that is the zone.
 * @param timezone IANA name; @throws {RangeError} for a name that nobody knows
 */
export function zonedText(at: EpochMs, timezone: string): string {
  const utc = utcText(at);
  if (timezone === 'UTC' || Number.isNaN(new Date(at).getTime())) return utc;
  const parts = new Map(
    formatOf(timezone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  // "GMT" alone is its own offset.
  const offset = part('timeZoneName').replace(/^GMT/u, '') || '+00:00';
  return `${day} ${time} ${offset} (${utc.startsWith(day) ? utc.slice(day.length + 1) : utc})`;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'longOffset',
  });
}
