import type { MaintenanceWindow } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type CronFields, matchesDate, parseCron } from '../core/cron.ts';
import { lastOccurrence } from './maintenance.ts';
import { asUtc, createZone, type Zone } from './zone.ts';

/** When notifications wait by plan. */
export interface MaintenanceOutlook {
  /** When the window that is open ends; null: none is open. */
  readonly until: EpochMs | null;
  /** The next window to open, within a year; null: none is planned. */
  readonly next: { readonly from: EpochMs; readonly until: EpochMs } | null;
}

const DAY: Millis = 86_400_000;
const MAX_DAYS = 367;
/** No zone sets its clock back by more. */
const MAX_CHANGE_HOURS = 3;

/** @throws {RangeError} for an expression or a zone that cannot be read */
export function createMaintenanceOutlook(windows: readonly MaintenanceWindow[]): (now: EpochMs) => MaintenanceOutlook {
  const read = windows.map(({ cron, duration, timezone }) => ({ cron: parseCron(cron), zone: createZone(timezone), duration }));
  return (now) => {
    const ends = read.flatMap(({ cron, zone, duration }) => {
      const begin = lastOccurrence(cron, zone, { now, within: duration });
      return begin !== null && now < begin + duration ? [begin + duration] : [];
    });
    const planned = read.flatMap(({ cron, zone, duration }) => {
      const from = nextOccurrence(cron, zone, now);
      return from === null ? [] : [{ from, until: from + duration }];
    });
    return { until: ends.length === 0 ? null : Math.max(...ends), next: planned.toSorted((a, b) => a.from - b.from)[0] ?? null };
  };
}

/** The first instant after now that the expression names, within a year. */
export function nextOccurrence(cron: CronFields, zone: Zone, now: EpochMs): EpochMs | null {
  const today = asUtc({ ...zone.at(now), hour: 0, minute: 0 });
  for (let day = 0; day < MAX_DAYS; day += 1) {
    const date = new Date(today + day * DAY);
    const local = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    if (!matchesDate(cron, { ...local, weekday: date.getUTCDay() })) continue;
    const past = day === 0 ? zone.at(now).hour - MAX_CHANGE_HOURS : 0;
    const first = firstOfDate(cron, zone, { local, now, past });
    if (first !== null) return first;
  }
  return null;
}

interface DaySearch {
  readonly local: { readonly year: number; readonly month: number; readonly day: number };
  readonly now: EpochMs;
  /** Hours before this one are over. */
  readonly past: number;
}

function firstOfDate(cron: CronFields, zone: Zone, { local, now, past }: DaySearch): EpochMs | null {
  for (const hour of cron.hours.filter((one) => one >= past)) {
    const begins = cron.minutes.flatMap((minute) => {
      const instants = zone.instantsOf({ ...local, hour, minute });
      // In the hour that comes twice, a given hour counts once.
      return cron.everyHour ? instants : instants.slice(0, 1);
    });
    const later = begins.filter((begin) => begin > now);
    if (later.length > 0) return Math.min(...later);
  }
  return null;
}
