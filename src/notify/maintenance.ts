import type { MaintenanceWindow } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { readCrontab, type Crontab } from '../text/crontab.ts';

/** Tells when notifications wait by plan. */
export interface Maintenance {
  isActive(now: EpochMs): boolean;
  outlook(now: EpochMs): MaintenancePlan;
}

/** When notifications wait by plan. */
export interface MaintenancePlan {
  /** When the window that is open ends; null: none is open. */
  readonly until: EpochMs | null;
  /** The next window to open; null: none is planned. */
  readonly next: { readonly from: EpochMs; readonly until: EpochMs } | null;
}

/**
 * Windows by cron expression, duration and time zone. A window lasts its duration in real time.
 * @throws {RangeError} for an expression or a zone that cannot be read
 */
export function createMaintenance(windows: readonly MaintenanceWindow[]): Maintenance {
  const read = windows.map(({ cron, duration, timezone }) => ({ begins: readCrontab(cron, timezone), duration }));
  return {
    isActive: (now) => openUntil(read, now) !== null,
    outlook: (now) => ({ until: openUntil(read, now), next: nextWindow(read, now) }),
  };
}

interface ReadWindow {
  readonly begins: Crontab;
  readonly duration: Millis;
}

function openUntil(windows: readonly ReadWindow[], now: EpochMs): EpochMs | null {
  const ends = windows.flatMap(({ begins, duration }) => {
    const begin = begins.last(now);
    return begin !== null && now < begin + duration ? [begin + duration] : [];
  });
  return ends.length === 0 ? null : Math.max(...ends);
}

function nextWindow(windows: readonly ReadWindow[], now: EpochMs): MaintenancePlan['next'] {
  const planned = windows.flatMap(({ begins, duration }) => {
    const from = begins.next(now);
    return from === null ? [] : [{ from, until: from + duration }];
  });
  return planned.toSorted((a, b) => a.from - b.from)[0] ?? null;
}
