import * as z from 'zod';
import { sleep } from '../system/clock.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import {
  admitCall,
  recordError,
  recordFailure,
  recordSuccess,
  REGISTRATION_LIMITS,
  type Admission,
  type CallBudget,
  type CallLimits,
  EMPTY_BUDGET,
} from '../core/license/registration.ts';
import { isOwnTrouble, type Failure } from '../core/observation.ts';
import { type ConnectorContext, failed, type JsonReply } from '../network/rest/json-exchange.ts';

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
  return { result: rejected(`HTTP ${String(status)}`), next: recordFailure(budget, at.now, retryAfter) };
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

const instants = z.array(z.number());
const count = z.number().nonnegative();

const budget = z.object({ calls: instants, errors: instants, failures: count, blockedUntil: count });

/** An invalid value counts as an empty budget. */
export function parseBudget(value: unknown): CallBudget {
  return budget.safeParse(value).data ?? EMPTY_BUDGET;
}
