import type { EpochMs, Millis } from '../core/clock.ts';

/** What a wall clock shows, minutes being as fine as a cron expression gets. */
export interface LocalTime {
  readonly year: number;
  /** 1 is January. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** The wall clock of one time zone. */
export interface Zone {
  at(instant: EpochMs): LocalTime;
  /**
   * The instants at which the wall clock shows a time: one, two in the night in which the clock is set back, and where it
   * was set forward over that time, the instant at which it was.
   */
  instantsOf(local: LocalTime): readonly EpochMs[];
}

const HOUR: Millis = 3_600_000;
const DAY: Millis = 24 * HOUR;

/** @throws {RangeError} for a name that is no IANA time zone */
export function createZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });

  function at(instant: EpochMs): LocalTime {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return { year: part('year'), month: part('month'), day: part('day'), hour: part('hour'), minute: part('minute') };
  }

  function offset(instant: EpochMs): Millis {
    return asUtc(at(instant)) - Math.floor(instant / 60_000) * 60_000;
  }

  return {
    at,
    instantsOf(local) {
      const shown = asUtc(local);
      // No zone changes twice within two days: the offsets before and after are all that can apply.
      const before = offset(shown - DAY);
      const after = offset(shown + DAY);
      const candidates = [...new Set([shown - before, shown - after])].filter((instant) => asUtc(at(instant)) === shown);
      return candidates.length > 0 ? candidates.sort((a, b) => a - b) : [changeBetween(shown - before - DAY, shown - after + DAY, offset)];
    },
  };
}

/** The time as if it were UTC: a number to reckon with. */
export function asUtc({ year, month, day, hour, minute }: LocalTime): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}

/** The minute at which the offset changes. */
function changeBetween(from: EpochMs, to: EpochMs, offset: (instant: EpochMs) => Millis): EpochMs {
  const before = offset(from);
  let low = from;
  let high = to;
  while (high - low > 60_000) {
    const middle = Math.floor((low + high) / 2 / 60_000) * 60_000;
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
