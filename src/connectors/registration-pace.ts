import * as z from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/**
 * FortiCloud allows 100 calls per minute, 1,000 calls per hour and 10 errors per hour. With these values, no sliding
 * minute contains more than (BURST + 60 s) / CALL_COST + MOST_CALLS = 100 calls, and no hour more than 985.
 */
const CALL_COST: Millis = 4_000;
const BURST: Millis = 3 * MINUTE;
/** In one query. */
export const MOST_CALLS = 40;
/** In one query. */
export const MOST_ERRORS = 3;
const ERRORS_PER_HOUR = 10;

/** Stored as JSON, so that the limits also apply across restarts. Also reads the budget of version 0.1. */
export const pace = z.object({
  /** Each call moves this time by the cost of a call. */
  busyUntil: z.number().catch(0),
  /** Times of errors in the last hour, oldest first. */
  errors: z.array(z.number()).readonly().catch([]),
  /** Number of consecutive failed queries. */
  failures: z.number().nonnegative().catch(0),
  blockedUntil: z.number().catch(0),
});

export type Pace = Readonly<z.infer<typeof pace>>;

/**
 * - `failed`: the service is not queried for a while
 * - `own-trouble`: a problem of this machine, which says nothing about the service
 */
export type VisitEnd = 'answered' | 'failed' | 'own-trouble';

interface Spent {
  readonly calls: number;
  readonly errors: number;
  readonly end: VisitEnd;
  /** As specified by the service. */
  readonly retryAfter: Millis;
}

/** A time that is further in the future than possible shows that the wall clock was set back. */
function timely(time: EpochMs, now: EpochMs, longest: Millis): EpochMs {
  return time > now + longest ? now : Math.max(now, time);
}

/** Returns the time until which errors do not allow a query. Null if a query is allowed. */
export function blockedUntil({ errors, blockedUntil: until }: Pace, now: EpochMs): EpochMs | null {
  const oldest = recent(errors, now).at(MOST_ERRORS - ERRORS_PER_HOUR - 1);
  const end = Math.max(timely(until, now, HOUR), oldest === undefined ? now : oldest + HOUR);
  return end > now ? end : null;
}

export function isBusy({ busyUntil }: Pace, now: EpochMs): boolean {
  return timely(busyUntil, now, BURST + MOST_CALLS * CALL_COST) > now + BURST;
}

/** Each consecutive failure doubles the pause, up to one hour. */
export function afterCalls(before: Pace, now: EpochMs, { calls, errors, end, retryAfter }: Spent): Pace {
  const pause = Math.max(retryAfter, MINUTE * 2 ** Math.min(before.failures, 10));
  return {
    busyUntil: timely(before.busyUntil, now, BURST + MOST_CALLS * CALL_COST) + calls * CALL_COST,
    errors: [...recent(before.errors, now), ...Array.from({ length: errors }, () => now)],
    failures: end === 'answered' ? 0 : before.failures + Number(end === 'failed'),
    blockedUntil: end === 'failed' ? now + Math.min(pause, HOUR) : before.blockedUntil,
  };
}

function recent(errors: readonly EpochMs[], now: EpochMs): readonly EpochMs[] {
  return errors.filter((at) => at <= now && now - at < HOUR);
}
