import * as z from 'zod';
import { sleep } from '../system/clock.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { isOwnTrouble, type Failure } from '../core/observation.ts';
import { type ConnectorContext, failed, type JsonReply, statusText } from '../network/rest/json-exchange.ts';

interface Call {
  /** Used in messages, for example `Looking up licence "EFTM…"`. */
  readonly what: string;
  readonly send: () => Promise<JsonReply>;
  /** Returns the error in the response, or null. A response with HTTP status 200 can contain an error. */
  readonly problemOf: (value: unknown) => string | null;
  /**
   * A refusal (400, 401 or 403) blocks further calls for a while. Must be true for calls that send the account's
   * credentials.
   */
  readonly refusalBacksOff: boolean;
}

export type CallResult =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'postponed'; readonly until: EpochMs }
  | Failure;

/** Each call is recorded before it is sent, so that it also counts if the process crashes. */
export type MeteredCall = (call: Call) => Promise<CallResult>;

/** A budget must not be used concurrently. */
export async function createMeteredCall(store: BudgetStore, context: ConnectorContext): Promise<MeteredCall> {
  let budget = parseBudget(await store.load());

  async function keep(next: CallBudget): Promise<void> {
    budget = next;
    await store.save(next);
  }

  async function admitted(): Promise<Admission> {
    for (;;) {
      const now = context.clock.now();
      const admission = admitCall(budget, now, store.limits ?? REGISTRATION_LIMITS);
      if (admission.kind === 'go' || budget.failures > 0 || admission.until - now > (store.patience ?? 0))
        return admission;
      try {
        await sleep(context.clock, admission.until - now, context.signal);
      } catch {
        return admission;
      }
    }
  }

  return async (call) => {
    const admission = await admitted();
    if (admission.kind === 'wait') return { kind: 'postponed', until: admission.until };
    await keep(admission.budget);
    const startedAt = context.clock.elapsed();
    let reply: JsonReply;
    try {
      reply = await call.send();
    } catch (error) {
      const failure = failed(error, startedAt, context);
      // A local problem, such as a cancelled call, does not count as a failure of the service.
      if (!isOwnTrouble(failure.reason)) await keep(recordFailure(budget, context.clock.now(), null));
      return failure;
    }
    const { result, next } = charge(call, reply, budget, {
      now: context.clock.now(),
      durationMs: context.clock.elapsed() - startedAt,
    });
    await keep(next);
    return result;
  };
}

interface Charged {
  readonly result: CallResult;
  readonly next: CallBudget;
}

function charge(
  call: Call,
  reply: JsonReply,
  budget: CallBudget,
  at: { readonly now: EpochMs; readonly durationMs: number },
): Charged {
  const rejected = (why: string): Failure => ({
    kind: 'failed',
    reason: 'rejected',
    message: `${call.what} failed: ${why}`,
    durationMs: at.durationMs,
  });
  if (reply.kind === 'json') {
    const problem = call.problemOf(reply.value);
    return problem === null
      ? { result: reply, next: recordSuccess(budget, at.now) }
      : { result: rejected(problem), next: recordError(budget, at.now) };
  }
  const { status, retryAfter } = reply;
  if (status === 400 || status === 401 || status === 403) {
    const next = call.refusalBacksOff ? recordFailure(budget, at.now, retryAfter) : recordError(budget, at.now);
    return { result: { kind: 'refused', status }, next };
  }
  return { result: rejected(statusText(status)), next: recordFailure(budget, at.now, retryAfter) };
}

export interface BudgetStore {
  /** Not validated. */
  load(): Promise<unknown>;
  save(budget: CallBudget): Promise<void>;
  /** @default REGISTRATION_LIMITS */
  readonly limits?: CallLimits;
  /**
   * Maximum time to wait if the per-minute quota is used up, for example by a hundred licences.
   * @default 0
   */
  readonly patience?: Millis;
}

const instants = z.array(z.number()).readonly();
const count = z.number().nonnegative();

/**
 * Plain JSON, kept across restarts. Otherwise, frequent restarts could cause too many queries, and the service would
 * lock the account.
 */
const budget = z.object({
  /** In the last hour, oldest first. */
  calls: instants,
  errors: instants,
  /** Number of consecutive failures. Each failure lengthens the pause. */
  failures: count,
  blockedUntil: count,
});

type CallBudget = Readonly<z.infer<typeof budget>>;

/** An invalid value counts as an empty budget. */
export function parseBudget(value: unknown): CallBudget {
  return budget.safeParse(value).data ?? EMPTY_BUDGET;
}

/** Within a sliding minute or hour. */
interface CallLimits {
  readonly callsPerMinute: number;
  readonly callsPerHour: number;
  readonly errorsPerHour: number;
}

/** FortiCloud's limits. */
const REGISTRATION_LIMITS: CallLimits = { callsPerMinute: 100, callsPerHour: 1000, errorsPerHour: 10 };

const EMPTY_BUDGET: CallBudget = { calls: [], errors: [], failures: 0, blockedUntil: 0 };

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/** The pause doubles with every consecutive failure, up to one hour. */
const FIRST_PAUSE = MINUTE;
const LONGEST_PAUSE = HOUR;

type Admission =
  | { readonly kind: 'go'; readonly budget: CallBudget }
  | { readonly kind: 'wait'; readonly until: EpochMs };

/** If the result is `go`, the call is already counted, so store the returned budget before sending the request. */
function admitCall(budget: CallBudget, now: EpochMs, limits: CallLimits): Admission {
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

function recordSuccess(budget: CallBudget, now: EpochMs): CallBudget {
  return { ...upTo(budget, now), failures: 0, blockedUntil: 0 };
}

/** The error affects only this call, so the next call is still allowed. */
function recordError(budget: CallBudget, now: EpochMs): CallBudget {
  const current = upTo(budget, now);
  return { ...current, errors: [...current.errors, now] };
}

/** The service failed or asked for a pause (`retryAfter`). The pause increases with each consecutive failure. */
function recordFailure(budget: CallBudget, now: EpochMs, retryAfter: Millis | null): CallBudget {
  const current = recordError(budget, now);
  const failures = current.failures + 1;
  const pause = Math.max(FIRST_PAUSE * 2 ** Math.min(failures - 1, 10), retryAfter ?? 0);
  return { ...current, failures, blockedUntil: now + Math.min(pause, LONGEST_PAUSE) };
}

/**
 * Drops entries that are older than one hour. Future times, which occur when the wall clock is set back, are replaced
 * with the current time, so that they do not block calls for days.
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

/** Returns the earliest time at which another entry would not exceed `limit` entries per `span`. */
function freeAgain(instants: readonly EpochMs[], limit: number, span: Millis, now: EpochMs): EpochMs {
  const inWindow = instants.filter((instant) => instant > now - span);
  const oldestThatCounts = inWindow.at(-limit);
  return oldestThatCounts === undefined ? now : oldestThatCounts + span;
}
