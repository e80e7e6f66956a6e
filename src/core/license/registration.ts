import type { EpochMs, Millis } from '../clock.ts';
import type { Failure } from '../observation.ts';

/** What the registration service says about the licences that were asked for. */
export type RegistrationObservation =
  | { readonly kind: 'ok'; readonly lookups: readonly LicenseLookup[] }
  /** The API user's credentials were refused, or the access token that they gave. */
  | { readonly kind: 'denied'; readonly message: string }
  | Postponed
  | Failure;

/** Not asked: the service's quota or the back-off after errors forbids it until then. */
export interface Postponed {
  readonly kind: 'postponed';
  readonly until: EpochMs;
}

export interface LicenseLookup {
  readonly license: string;
  readonly outcome: LicenseOutcome;
  /** The outcome is of an earlier look: when it was told, and why there is no newer one. */
  readonly kept?: { readonly since: EpochMs; readonly because: Postponed | Failure };
}

export type LicenseOutcome =
  | {
      readonly kind: 'registered';
      readonly serial: string;
      /** How many tokens it was sold with; left out where nothing says. */
      readonly bought?: number;
    }
  /** It is known, and no unit holds it: `status` is the service's own word, `Pending`. */
  | { readonly kind: 'unregistered'; readonly status: string }
  /**
   * It is listed, and not as `Pending`, but no serial number of a unit can be read: it says nothing about who holds it.
   */
  | { readonly kind: 'unnamed'; readonly status: string | null }
  /** An empty answer: says nothing, since not every licence is listed. */
  | { readonly kind: 'not-listed' }
  | Postponed
  | Failure;

/** The last answer about each licence, since a service that fails once has not moved a licence. */
export type RegistrationMemory = ReadonlyMap<string, Known>;

/** `missed`: why the service did not answer again when it was asked last. */
interface Known {
  readonly outcome: LicenseOutcome;
  /** When the outcome was told. */
  readonly at: EpochMs;
  readonly missed: Postponed | Failure | null;
}

interface RegistrationLook {
  /** Every licence that matters now: what is known of others is forgotten. */
  readonly wanted: readonly string[];
  /** Those of them that this look asked for. */
  readonly asked: readonly string[];
  readonly seen: RegistrationObservation;
  readonly at: EpochMs;
}

/**
 * What is known after a look. An answer stands for `keptFor` while there is no newer one; where the login is refused,
 * nothing stands any more.
 */
export function afterLook(known: RegistrationMemory, look: RegistrationLook, keptFor: Millis): RegistrationMemory {
  const { wanted, asked, seen } = look;
  if (seen.kind === 'denied') return new Map();
  const outcomes = new Map(
    seen.kind === 'ok'
      ? seen.lookups.map(({ license, outcome }) => [license, outcome])
      : asked.map((license) => [license, seen]),
  );
  return new Map(
    wanted.flatMap((license): readonly (readonly [string, Known])[] => {
      const before = known.get(license);
      const outcome = outcomes.get(license);
      if (outcome !== undefined) return [[license, newer(before, { outcome, at: look.at, missed: null }, keptFor)]];
      return before === undefined ? [] : [[license, before]];
    }),
  );
}

function newer(before: Known | undefined, now: Known, keptFor: Millis): Known {
  if (before === undefined || !isOpen(now.outcome) || isOpen(before.outcome)) return now;
  return now.at - before.at <= keptFor ? { ...before, missed: now.outcome } : now;
}

/** What is known, as if the service had said it just now; `seen` itself where nothing else is known. */
export function observationOf(known: RegistrationMemory, seen: RegistrationObservation): RegistrationObservation {
  const isKnown = [...known.values()].some(({ outcome }) => !isOpen(outcome));
  if (seen.kind !== 'ok' && !isKnown) return seen;
  return {
    kind: 'ok',
    lookups: [...known].map(([license, { outcome, at, missed }]) => ({
      license,
      outcome,
      ...(missed === null ? {} : { kept: { since: at, because: missed } }),
    })),
  };
}

/**
 * What the service still owes an answer to; first what it was not even asked, so that a question that always fails does
 * not hold up the others.
 */
export function openLicenses(known: RegistrationMemory): readonly string[] {
  const open = [...known].filter(([, { outcome, missed }]) => missed !== null || isOpen(outcome));
  return open.toSorted(([, a], [, b]) => Number(isPostponed(b)) - Number(isPostponed(a))).map(([license]) => license);
}

/**
 * When to ask again for what is open, before the schedule does: when a call is allowed again. Null: nothing is open, or
 * the service answered with an error that a pause does not fix.
 * @param blockedUntil of the call budget
 */
export function nextLook(known: RegistrationMemory, blockedUntil: EpochMs, now: EpochMs): EpochMs | null {
  const open = [...known.values()].map(({ outcome, missed }) => missed ?? outcome).filter(isOpen);
  const times = open.flatMap((outcome) =>
    outcome.kind === 'postponed' ? [outcome.until] : blockedUntil > now ? [blockedUntil] : [],
  );
  return times.length === 0 ? null : Math.min(...times);
}

function isOpen(outcome: LicenseOutcome): outcome is Postponed | Failure {
  return outcome.kind === 'postponed' || outcome.kind === 'failed';
}

function isPostponed({ outcome, missed }: Known): boolean {
  return (missed ?? outcome).kind === 'postponed';
}

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
