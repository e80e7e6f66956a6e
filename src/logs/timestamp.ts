import type { EpochMs, Millis } from '../core/clock.ts';

const DAY: Millis = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 3164 §4.1.2: no year and no zone. Some relays add the year after the day, or fractions. */
const BSD = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})/u;
/** RFC 3339 as RFC 5424 wants it, and the blank instead of the T that some relays write. */
const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?/u;
/** Raw export: `date=2025-06-04 time=20:13:33+0000`; a FortiGate has no zone there. */
const EXPORT = /^date="?(\d{4})-(\d{2})-(\d{2})"? time="?(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?/u;

/** The time as it stands at the beginning of `text`; null when there is none. Cheap: most times are never read. */
export function findTime(text: string): string | null {
  return (BSD.exec(text) ?? ISO.exec(text) ?? EXPORT.exec(text))?.[0] ?? null;
}

/**
 * Reads the time at the beginning of `text`. Without a zone it is taken in the time zone of this process; without a year it is
 * the one that puts it closest before `near`, a day of grace left for clocks that differ. Null when there is none.
 */
export function readTime(text: string, near: EpochMs): EpochMs | null {
  const bsd = BSD.exec(text);
  if (bsd !== null) return readBsd(bsd, near);
  const iso = ISO.exec(text) ?? EXPORT.exec(text);
  if (iso === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone] = iso;
  const milliseconds = Math.trunc(Number(`0.${fraction ?? '0'}`) * 1000);
  const parts = [year, month, day, hour, minute, second].map(Number);
  return checked(instant([...parts, milliseconds], zone));
}

function readBsd(match: RegExpExecArray, near: EpochMs): EpochMs | null {
  const [, monthName = '', day, year, hour, minute, second] = match;
  const month = MONTHS.indexOf(monthName) + 1;
  if (month === 0) return null;
  const inYear = (candidate: number): EpochMs => instant([candidate, month, ...[day, hour, minute, second].map(Number), 0], undefined);
  if (year !== undefined) return checked(inYear(Number(year)));
  const thisYear = new Date(near).getFullYear();
  const at = inYear(thisYear + 1) <= near + DAY ? inYear(thisYear + 1) : inYear(thisYear);
  return checked(at > near + DAY ? inYear(thisYear - 1) : at);
}

function instant(parts: readonly number[], zone: string | undefined): EpochMs {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, milliseconds = 0] = parts;
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, milliseconds).getTime();
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - zoneOffset(zone);
}

function zoneOffset(zone: string): Millis {
  if (zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000;
}

function checked(at: EpochMs): EpochMs | null {
  return Number.isFinite(at) ? at : null;
}
