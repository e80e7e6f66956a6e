import type { Millis, EpochMs } from './clock.ts';

/** For example `12 ms`, `3.5 s`, `45 s`, `1 min 30 s`, `1 h 36 min` or `1 d 3 h`. */
export function spanText(span: Millis): string {
  if (span < 999.5) return `${String(Math.round(span))} ms`;
  if (span < 9_950) return `${String(Math.round(span / 100) / 10)} s`;
  const seconds = Math.round(span / 1_000);
  const parts: readonly (readonly [count: number, unit: string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  const told = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return told.map(([count, unit]) => `${String(count)} ${unit}`).join(' ');
}

export const DURATION_PATTERN: RegExp = /^[1-9]\d{0,8}[smhd]$/u;

const UNITS: readonly (readonly [unit: string, millis: Millis])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];

/** For example `90s`, `15m`, `4h` or `7d`. Returns null for invalid durations, including zero. */
export function parseDuration(text: string): Millis | null {
  if (!DURATION_PATTERN.test(text)) return null;
  const unit = UNITS.find(([letter]) => text.endsWith(letter));
  return unit === undefined ? null : Number(text.slice(0, -1)) * unit[1];
}

/** The shortest text that `parseDuration` converts to the same number of seconds. */
export function formatDuration(duration: Millis): string {
  const unit = UNITS.find(([, millis]) => duration >= millis && duration % millis === 0);
  return unit === undefined
    ? `${String(Math.max(1, Math.round(duration / 1000)))}s`
    : `${String(duration / unit[1])}${unit[0]}`;
}

/** For example `2026-11-25T12:03:00Z`. */
export function instantText(at: EpochMs): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an unreadable date' : date.toISOString().replace(/\.\d+Z$/u, 'Z');
}

/** For example `2026-11-24 13:00:05 UTC`. */
export function utcText(at: EpochMs): string {
  return isoTime(at).replace(/T(.{8}).*$/u, ' $1 UTC');
}

/** ECMA-262, "Time Values and Time Range" */
const FURTHEST = 8.64e15;

/** The value may be invalid if it comes from a damaged file. */
export function isoTime(at: EpochMs): string {
  return Math.abs(at) <= FURTHEST ? new Date(at).toISOString() : 'no time';
}

export function isoTimeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : isoTime(at);
}

/** In UTC, for example `2026-11-25`. */
export function dayText(at: EpochMs): string {
  return instantText(at).replace(/T.*$/u, '');
}

const DAY: Millis = 86_400_000;

/** Creating a zone takes longer than formatting a hundred timestamps, so create it only once per page. */
export interface Zone {
  readonly name: string;
  /** For example `2026-11-24 14:00:05 +01:00 (13:00:05 UTC)`. */
  text(at: EpochMs): string;
  /** Without the UTC offset, for axes and tables, for example `2026-11-24 14:00:05`. */
  local(at: EpochMs): string;
  /** For pages that name the zone once, such as `14:00:05` on the day of `now`, otherwise `28 Nov 04:30`. */
  short(at: EpochMs, now: EpochMs): string;
  /** As `short`, but whole, such as `28 Nov 2026 04:30:12`. */
  whole(at: EpochMs): string;
  /**
   * Returns the time when a calendar day begins in this zone.
   * @param midnight time when the same day begins in UTC
   */
  startOfDay(midnight: EpochMs): EpochMs;
  /**
   * Returns the time when clocks in this zone show `2026-11-24T14:00`, or the first such time if there are two. Null if
   * there is no such time.
   */
  instant(local: string): EpochMs | null;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** @param local such as `2026-11-28 04:30:12` */
function datedOf(local: string): { readonly date: string; readonly year: string; readonly time: string } {
  const [day = '', time = ''] = local.split(' ');
  const [year = '', month, date] = day.split('-');
  return { date: `${String(Number(date))} ${MONTHS[Number(month) - 1] ?? ''}`, year, time };
}

const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/u;

/** @throws {RangeError} for an unknown name */
export function zoneOf(timezone: string): Zone {
  const format = formatOf(timezone);
  const wallOf = (at: EpochMs): { readonly local: string; readonly offset: string } => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
    const day = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
    return {
      local: `${day} ${part('hour')}:${part('minute')}:${part('second')}`,
      // The value "GMT" contains no offset.
      offset: part('timeZoneName').replace(/^GMT/u, '') || '+00:00',
    };
  };
  // Calculated with each UTC offset that is used around that time.
  const timesAt = (wall: EpochMs): readonly EpochMs[] =>
    [-DAY, 0, DAY].map((near) => wall - offsetOf(wallOf(wall + near).offset));
  return {
    name: timezone,
    text: (at) => {
      const utc = utcText(at);
      if (timezone === 'UTC' || isNoTime(at)) return utc;
      const { local, offset } = wallOf(at);
      return `${local} ${offset} (${utc.startsWith(local.slice(0, 10)) ? utc.slice(11) : utc})`;
    },
    short: (at, now) => {
      if (isNoTime(at)) return isoTime(at);
      const { date, year, time } = datedOf(wallOf(at).local);
      const today = datedOf(wallOf(now).local);
      if (year !== today.year) return `${date} ${year}`;
      return date === today.date ? time : `${date} ${time.slice(0, 5)}`;
    },
    whole: (at) => {
      if (isNoTime(at)) return isoTime(at);
      const { date, year, time } = datedOf(wallOf(at).local);
      return `${date} ${year} ${time}`;
    },
    local: (at) => (isNoTime(at) ? isoTime(at) : wallOf(at).local),
    startOfDay: (midnight) => {
      const day = isoTime(midnight).slice(0, 10);
      // If clocks change near midnight, midnight can be skipped or occur twice. The day begins at the earliest time
      // with this date.
      const inDay = timesAt(midnight).filter((start) => wallOf(start).local.slice(0, 10) >= day);
      return inDay.length === 0 ? midnight : Math.min(...inDay);
    },
    instant: (local) => {
      const wall = LOCAL_TIME.test(local) ? Date.parse(`${local}Z`) : Number.NaN;
      if (Number.isNaN(wall)) return null;
      const found = timesAt(wall).filter((at) => wallOf(at).local.startsWith(local.replace('T', ' ')));
      return found.length === 0 ? null : Math.min(...found);
    },
  };
}

export function zonedText(at: EpochMs, timezone: string): string {
  return timezone === 'UTC' ? utcText(at) : zoneOf(timezone).text(at);
}

/** @param text an offset such as `+01:00`, or with seconds for dates before time zones were standardised */
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

/** Both ends are inclusive. Null means that the period is open at that end. */
export interface Period {
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
}

/** Both ends are inclusive. */
export interface TimeRange {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

export const ALL_TIME: Period = { since: null, until: null };

export function isWithin({ since, until }: Period, at: EpochMs): boolean {
  return at >= (since ?? Number.NEGATIVE_INFINITY) && at <= (until ?? Number.POSITIVE_INFINITY);
}
