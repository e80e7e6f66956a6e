import type { EpochMs, Millis } from '../../core/clock.ts';

const DAY: Millis = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * What may stand behind a time: fractions, and the zone, which some devices set apart (`22:32:52 UTC`, `22:32:52
 * +0200`).
 */
const FRACTION = String.raw`(?:[.,](\d{1,9}))?`;
const ZONE = String.raw`(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})(?![\w.]))?`;
/**
 * RFC 3164 §4.1.2: no year and no zone. Some relays add the year in front, after the day or after the time, or write the
 * month in capitals.
 */
const BSD = new RegExp(
  String.raw`^(?:(\d{4}) )?([A-Z][A-Za-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})${FRACTION}${ZONE}` +
    String.raw`(?: ((?:19|20)\d{2})(?= |$))?`,
  'u',
);
/** RFC 3339 as RFC 5424 wants it, the blank instead of the T that some relays write, and slashes in the date. */
const ISO = new RegExp(String.raw`^(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}):(\d{2}):(\d{2})${FRACTION}${ZONE}`, 'u');
/** Raw export: `date=2025-06-04 time=20:13:33+0000`; a FortiGate has no zone there. */
const EXPORT =
  /^date="?(\d{4})-(\d{2})-(\d{2})"? time="?(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?/u;

/** Sticky and without groups, so that `test` tells where the time ends without taking it apart. */
const ANY = new RegExp([BSD, ISO, EXPORT].map(({ source }) => source.replaceAll(/\((?!\?)/gu, '(?:')).join('|'), 'uy');

/** The time as it stands at the beginning of `text`; null when there is none. Cheap: most times are never read. */
export function findTime(text: string): string | null {
  ANY.lastIndex = 0;
  return ANY.test(text) ? text.slice(0, ANY.lastIndex) : null;
}

/**
 * Reads the time at the beginning of `text`. Without a zone it is taken in the time zone of this process; without a
 * year it is the one that puts it closest before `near`, a day of grace left for clocks that differ. Null when there is
 * none.
 */
export function readTime(text: string, near: EpochMs): EpochMs | null {
  const bsd = BSD.exec(text);
  if (bsd !== null) return readBsd(bsd, near);
  const iso = ISO.exec(text) ?? EXPORT.exec(text);
  if (iso === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone] = iso;
  const parts = [year, month, day, hour, minute, second].map(Number);
  return checked(instant([...parts, milliseconds(fraction)], zone));
}

function readBsd(match: RegExpExecArray, near: EpochMs): EpochMs | null {
  const [, firstYear, monthName = '', day, middleYear, hour, minute, second, fraction, zone, lastYear] = match;
  const year = firstYear ?? middleYear ?? lastYear;
  const month = MONTHS.indexOf(monthName.slice(0, 1) + monthName.slice(1).toLowerCase()) + 1;
  if (month === 0) return null;
  const rest = [...[day, hour, minute, second].map(Number), milliseconds(fraction)];
  const inYear = (candidate: number): EpochMs => instant([candidate, month, ...rest], zone);
  if (year !== undefined) return checked(inYear(Number(year)));
  const thisYear = new Date(near).getFullYear();
  const at = inYear(thisYear + 1) <= near + DAY ? inYear(thisYear + 1) : inYear(thisYear);
  return checked(at > near + DAY ? inYear(thisYear - 1) : at);
}

function instant(parts: readonly number[], zone: string | undefined): EpochMs {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0] = parts;
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, millis).getTime();
  return Date.UTC(year, month - 1, day, hour, minute, second, millis) - zoneOffset(zone);
}

function zoneOffset(zone: string): Millis {
  if (zone === 'Z' || zone === 'UTC' || zone === 'GMT') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000;
}

function milliseconds(fraction = '0'): Millis {
  return Math.trunc(Number(`0.${fraction}`) * 1000);
}

function checked(at: EpochMs): EpochMs | null {
  return Number.isFinite(at) ? at : null;
}
