import type { Config } from '../config/config.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { readCrontab, type Crontab } from '../text/crontab.ts';

export interface Maintenance {
  isActive(now: EpochMs): boolean;
  outlook(now: EpochMs): MaintenancePlan;
}

export interface MaintenancePlan {
  readonly until: EpochMs | null;
  readonly next: { readonly from: EpochMs; readonly until: EpochMs } | null;
}

/**
 * Daylight saving time changes do not affect a window's duration.
 * @throws {RangeError} if an expression or a time zone is invalid
 */
export function createMaintenance(windows: Config['notify']['maintenance']): Maintenance {
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
