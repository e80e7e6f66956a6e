import * as z from 'zod';
import type { EpochMs } from '../core/clock.ts';
import { parseDuration, type Period } from '../core/time-text.ts';
import { showValue } from '../text/show.ts';

export interface TypedPeriod {
  readonly since?: string;
  readonly until?: string;
}

const instant = z.iso.datetime({ offset: true });
const day = z.iso.date();

/** Both accept a time, a day in UTC or a time ago such as `3h`. An `--until` day is included as a whole. */
export function readPeriod({ since, until }: TypedPeriod, now: EpochMs): Period {
  const period = {
    since: since === undefined ? null : readInstant('--since', since, { now, dayEnds: false }),
    until: until === undefined ? null : readInstant('--until', until, { now, dayEnds: true }),
  };
  if (period.since !== null && period.since >= (period.until ?? now))
    throw new Error(
      `Cannot create a report from ${showValue(since)} to ${showValue(until ?? 'now')}: ` +
        'the start must be before the end',
    );
  return period;
}

const LAST_OF_DAY = 86_399_999;

function readInstant(option: string, typed: string, { now, dayEnds }: { now: EpochMs; dayEnds: boolean }): EpochMs {
  if (day.safeParse(typed).success) return Date.parse(typed) + (dayEnds ? LAST_OF_DAY : 0);
  if (instant.safeParse(typed).success) return Date.parse(typed);
  const ago = parseDuration(typed);
  if (ago !== null) return now - ago;
  throw new Error(
    `Invalid value for ${option}: expected a time such as "2026-11-24T18:00:00Z", ` +
      'a day such as "2026-11-24" or how long ' +
      `ago, such as "7d", got ${showValue(typed)}`,
  );
}
