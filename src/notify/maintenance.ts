import type { MaintenanceWindow } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { matchesDate, parseCron } from '../core/cron.ts';
import type { CronFields } from '../core/cron.ts';
import { asUtc, createZone } from './zone.ts';
import type { LocalTime, Zone } from './zone.ts';

/** Tells whether notifications wait. */
export interface Maintenance {
  isActive(now: EpochMs): boolean;
}

const DAY: Millis = 86_400_000;
/** No zone sets its clock back by more. */
const MAX_CHANGE_HOURS = 3;

/**
 * Windows by cron expression, duration and time zone. A window lasts its duration in real time. It begins once in the night
 * that has its hour twice, and in the night that lacks its hour it begins when the clock is set forward.
 * @throws {RangeError} for an expression or a zone that cannot be read
 */
export function createMaintenance(windows: readonly MaintenanceWindow[]): Maintenance {
  const read = windows.map(({ cron, duration, timezone }) => ({ cron: parseCron(cron), zone: createZone(timezone), duration }));
  return {
    isActive: (now) =>
      read.some(({ cron, zone, duration }) => {
        const begin = lastOccurrence(cron, zone, { now, within: duration });
        return begin !== null && now < begin + duration;
      }),
  };
}

/** The latest instant up to now that the expression names; null when there is none within the span before it. */
export function lastOccurrence(cron: CronFields, zone: Zone, span: { readonly now: EpochMs; readonly within: Millis }): EpochMs | null {
  const earliest = span.now - span.within;
  // One day more on each side: a clock that was changed moves an occurrence by hours.
  let date = asUtc({ ...zone.at(span.now), hour: 0, minute: 0 }) + DAY;
  const end = asUtc({ ...zone.at(earliest), hour: 0, minute: 0 }) - DAY;
  for (; date >= end; date -= DAY) {
    const begin = lastOfDate(cron, zone, { date: new Date(date), now: span.now });
    if (begin !== null) return begin >= earliest ? begin : null;
  }
  return null;
}

function lastOfDate(cron: CronFields, zone: Zone, { date, now }: { readonly date: Date; readonly now: EpochMs }): EpochMs | null {
  const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
  if (!matchesDate(cron, { ...day, weekday: date.getUTCDay() })) return null;
  let latest: EpochMs | null = null;
  let hoursMore = MAX_CHANGE_HOURS;
  for (const hour of cron.hours.toReversed()) {
    const begins = cron.minutes.flatMap((minute) => beginnings(cron, zone, { ...day, hour, minute })).filter((begin) => begin <= now);
    latest = begins.reduce<EpochMs | null>((last, begin) => (last === null || begin > last ? begin : last), latest);
    // An earlier hour of the wall clock can only be a later instant in the night in which it comes twice.
    if (latest !== null) hoursMore -= 1;
    if (hoursMore < 0 || (latest !== null && !cron.everyHour)) break;
  }
  return latest;
}

/** In the hour that comes twice, a given hour counts once. */
function beginnings(cron: CronFields, zone: Zone, local: LocalTime): readonly EpochMs[] {
  const instants = zone.instantsOf(local);
  return cron.everyHour ? instants : instants.slice(0, 1);
}
