import type { EpochMs, Millis } from './clock.ts';
import { isoTime, utcText } from './instant-text.ts';

const DAY: Millis = 86_400_000;

/** How instants read in one time zone. Making one costs more than a hundred texts: make it once for a page. */
export interface Zone {
  /** IANA name. */
  readonly name: string;
  /** `2026-11-24 14:00:05 +01:00 (13:00:05 UTC)`; UTC alone if that is the zone. */
  text(at: EpochMs): string;
  /** Without the offset, for axes and tables: `2026-11-24 14:00:05`. */
  local(at: EpochMs): string;
  /** When a day of the calendar begins here. @param midnight when the same day begins in UTC */
  startOfDay(midnight: EpochMs): EpochMs;
}

/** @param timezone IANA name; @throws {RangeError} for an unknown name */
export function zoneOf(timezone: string): Zone {
  const format = formatOf(timezone);
  const wallOf = (at: EpochMs): { readonly local: string; readonly offset: string } => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    const day = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
    return {
      local: `${day} ${part('hour')}:${part('minute')}:${part('second')}`,
      // "GMT" alone is its own offset.
      offset: part('timeZoneName').replace(/^GMT/u, '') || '+00:00',
    };
  };
  return {
    name: timezone,
    text: (at) => {
      const utc = utcText(at);
      if (timezone === 'UTC' || isNoTime(at)) return utc;
      const { local, offset } = wallOf(at);
      return `${local} ${offset} (${utc.startsWith(local.slice(0, 10)) ? utc.slice(11) : utc})`;
    },
    local: (at) => (isNoTime(at) ? isoTime(at) : wallOf(at).local),
    startOfDay: (midnight) => {
      const day = isoTime(midnight).slice(0, 10);
      // The clocks may be changed near midnight, so that it is skipped or comes twice: of the offsets around it, the
      // earliest instant that reads as this day is its beginning.
      const starts = [-DAY, 0, DAY].map((near) => midnight - offsetOf(wallOf(midnight + near).offset));
      const inDay = starts.filter((start) => wallOf(start).local.slice(0, 10) >= day);
      return inDay.length === 0 ? midnight : Math.min(...inDay);
    },
  };
}

/** As `Zone.text`, for one instant. */
export function zonedText(at: EpochMs, timezone: string): string {
  return timezone === 'UTC' ? utcText(at) : zoneOf(timezone).text(at);
}

/** @param text `+01:00`; before time zones were agreed, with seconds */
function offsetOf(text: string): Millis {
  const [hours = 0, minutes = 0, seconds = 0] = text.slice(1).split(':').map(Number);
  return (text.startsWith('-') ? -1 : 1) * ((hours * 60 + minutes) * 60 + seconds) * 1_000;
}

function isNoTime(at: EpochMs): boolean {
  return Number.isNaN(new Date(at).getTime());
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
