import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admitCall,
  EMPTY_BUDGET,
  recordError,
  recordFailure,
  recordSuccess,
  REGISTRATION_LIMITS,
  type CallBudget,
} from '../../../../src/core/license/registration.ts';
import { parseBudget } from '../../../../src/connectors/metered-call.ts';

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Makes `count` calls at `now`, or fewer if one is not admitted. */
function calls(budget: CallBudget, count: number, now: number): { readonly budget: CallBudget; readonly made: number } {
  let current = budget;
  for (let made = 0; made < count; made += 1) {
    const admission = admitCall(current, now, REGISTRATION_LIMITS);
    if (admission.kind === 'wait') return { budget: current, made };
    current = admission.budget;
  }
  return { budget: current, made: count };
}

describe('admitCall', () => {
  it('allows 100 calls a minute, and the next when the first is a minute old', () => {
    const { budget, made } = calls(EMPTY_BUDGET, 101, NOW);
    expect(made).toBe(100);
    expect(admitCall(budget, NOW + MINUTE - 1, REGISTRATION_LIMITS)).toEqual({ kind: 'wait', until: NOW + MINUTE });
    expect(admitCall(budget, NOW + MINUTE, REGISTRATION_LIMITS).kind).toBe('go');
  });

  it('allows 1000 calls an hour', () => {
    let budget = EMPTY_BUDGET;
    let made = 0;
    for (let minute = 0; minute < 12; minute += 1) {
      const batch = calls(budget, 100, NOW + minute * MINUTE);
      budget = batch.budget;
      made += batch.made;
    }
    expect(made).toBe(1000);
    expect(admitCall(budget, NOW + 12 * MINUTE, REGISTRATION_LIMITS)).toEqual({ kind: 'wait', until: NOW + HOUR });
  });

  it('allows 10 errors an hour', () => {
    let budget = EMPTY_BUDGET;
    for (let error = 0; error < 10; error += 1) budget = recordError(budget, NOW + error);
    expect(admitCall(budget, NOW + 20, REGISTRATION_LIMITS)).toEqual({ kind: 'wait', until: NOW + HOUR });
    expect(admitCall(budget, NOW + HOUR, REGISTRATION_LIMITS).kind).toBe('go');
  });

  it('backs off longer with every failure, up to an hour, and starts over after a success', () => {
    let budget = EMPTY_BUDGET;
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      const now = NOW + failure * 2 * HOUR;
      budget = recordFailure(budget, now, null);
      pauses.push((budget.blockedUntil - now) / MINUTE);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    budget = recordFailure(recordSuccess(budget, NOW + 100 * HOUR), NOW + 100 * HOUR, null);
    expect(budget.blockedUntil).toBe(NOW + 100 * HOUR + MINUTE);
  });

  it('obeys Retry-After, no longer than an hour', () => {
    expect(recordFailure(EMPTY_BUDGET, NOW, 5 * MINUTE).blockedUntil).toBe(NOW + 5 * MINUTE);
    expect(recordFailure(EMPTY_BUDGET, NOW, 100 * HOUR).blockedUntil).toBe(NOW + HOUR);
  });

  it('goes on as before after it was kept as JSON', () => {
    const budget = recordFailure(calls(EMPTY_BUDGET, 3, NOW).budget, NOW + 1, null);
    const kept = parseBudget(JSON.parse(JSON.stringify(budget)));
    expect(kept).toEqual(budget);
    expect(admitCall(kept, NOW + 2, REGISTRATION_LIMITS)).toEqual({ kind: 'wait', until: NOW + 1 + MINUTE });
  });

  it('does not lock for days when the wall clock was set back', () => {
    const budget = recordFailure(EMPTY_BUDGET, NOW + 1000 * HOUR, null);
    const admission = admitCall(budget, NOW, REGISTRATION_LIMITS);
    expect(admission).toEqual({ kind: 'wait', until: NOW + HOUR });
  });

  it('never exceeds a limit, whenever calls and errors happen', () => {
    const step = fc.record({ after: fc.integer({ min: 0, max: 120_000 }), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const limits = { callsPerMinute: 5, callsPerHour: 20, errorsPerHour: 3 };
        let budget = EMPTY_BUDGET;
        let now = NOW;
        const made: number[] = [];
        const errors: number[] = [];
        for (const { after, fails } of steps) {
          now += after;
          const admission = admitCall(budget, now, limits);
          if (admission.kind === 'wait') continue;
          budget = fails ? recordError(admission.budget, now) : recordSuccess(admission.budget, now);
          made.push(now);
          if (fails) errors.push(now);
        }
        expect(mostWithin(made, MINUTE)).toBeLessThanOrEqual(5);
        expect(mostWithin(made, HOUR)).toBeLessThanOrEqual(20);
        expect(mostWithin(errors, HOUR)).toBeLessThanOrEqual(3);
      }),
    );
  });
});

function mostWithin(instants: readonly number[], span: number): number {
  return Math.max(
    0,
    ...instants.map((end) => instants.filter((instant) => instant <= end && instant > end - span).length),
  );
}

describe('parseBudget', () => {
  it.each([
    null,
    undefined,
    'text',
    7,
    [],
    {},
    { calls: 'x', errors: [null, 'y', Number.NaN], failures: -1, blockedUntil: '3' },
  ])('reads %j as empty', (value) => {
    expect(parseBudget(value)).toEqual(EMPTY_BUDGET);
  });
});
