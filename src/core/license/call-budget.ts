import type { EpochMs, Millis } from '../clock.ts';

/**
 * What was asked of the registration service lately. Plain JSON: it is kept across restarts, so that a service that
 * locks out an account is not tried again by every restart.
 */
export interface CallBudget {
  /** Instants of the calls of the last hour, oldest first. */
  readonly calls: readonly EpochMs[];
  /** Instants of the errors of the last hour, oldest first. */
  readonly errors: readonly EpochMs[];
  /** Failures in a row that called for backing off. */
  readonly failures: number;
  /** No call before this instant. */
  readonly blockedUntil: EpochMs;
}

/** Calls and errors allowed in a sliding minute or hour. */
export interface CallLimits {
  readonly callsPerMinute: number;
  readonly callsPerHour: number;
  readonly errorsPerHour: number;
}

/** FortiCloud: 100 calls a minute, 1000 an hour, 10 errors an hour. */
export const REGISTRATION_LIMITS: CallLimits = { callsPerMinute: 100, callsPerHour: 1000, errorsPerHour: 10 };

export const EMPTY_BUDGET: CallBudget = { calls: [], errors: [], failures: 0, blockedUntil: 0 };

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/** The first pause; it doubles with every failure in a row, up to an hour. */
const FIRST_PAUSE = MINUTE;
const LONGEST_PAUSE = HOUR;

export type Admission =
  | { readonly kind: 'go'; readonly budget: CallBudget }
  | { readonly kind: 'wait'; readonly until: EpochMs };

/** Asks for one call now. On `go` the call is counted already: keep that budget before sending. */
export function admitCall(budget: CallBudget, now: EpochMs, limits: CallLimits): Admission {
  const current = upTo(budget, now);
  const until = Math.max(
    current.blockedUntil,
    freeAgain(current.calls, limits.callsPerMinute, MINUTE, now),
    freeAgain(current.calls, limits.callsPerHour, HOUR, now),
    freeAgain(current.errors, limits.errorsPerHour, HOUR, now),
  );
  if (until > now) return { kind: 'wait', until };
  return { kind: 'go', budget: { ...current, calls: [...current.calls, now] } };
}

/** The call worked. */
export function recordSuccess(budget: CallBudget, now: EpochMs): CallBudget {
  return { ...upTo(budget, now), failures: 0, blockedUntil: 0 };
}

/** The service answered this one call with an error of its own: it counts, and the next call may still be made. */
export function recordError(budget: CallBudget, now: EpochMs): CallBudget {
  const current = upTo(budget, now);
  return { ...current, errors: [...current.errors, now] };
}

/**
 * The service failed or asked for a pause (`retryAfter`): nothing more is sent for a while, longer with every failure.
 */
export function recordFailure(budget: CallBudget, now: EpochMs, retryAfter: Millis | null): CallBudget {
  const current = recordError(budget, now);
  const failures = current.failures + 1;
  const pause = Math.max(FIRST_PAUSE * 2 ** Math.min(failures - 1, 10), retryAfter ?? 0);
  return { ...current, failures, blockedUntil: now + Math.min(pause, LONGEST_PAUSE) };
}

/**
 * Drops what is older than an hour. Instants of the future come from a wall clock that was set back: they are taken as
 * now, so that they neither lock for days nor are forgotten.
 */
function upTo(budget: CallBudget, now: EpochMs): CallBudget {
  const recent = (instant: EpochMs): boolean => instant > now - HOUR;
  const past = (instant: EpochMs): EpochMs => Math.min(instant, now);
  return {
    calls: budget.calls.filter(recent).map(past),
    errors: budget.errors.filter(recent).map(past),
    failures: budget.failures,
    blockedUntil: Math.min(budget.blockedUntil, now + LONGEST_PAUSE),
  };
}

/** When a window of `span` has room for one more of at most `limit`. */
function freeAgain(instants: readonly EpochMs[], limit: number, span: Millis, now: EpochMs): EpochMs {
  const inWindow = instants.filter((instant) => instant > now - span);
  const oldestThatCounts = inWindow.at(-limit);
  return oldestThatCounts === undefined ? now : oldestThatCounts + span;
}
