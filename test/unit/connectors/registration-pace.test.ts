import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterCalls,
  blockedUntil,
  isBusy,
  MOST_CALLS,
  MOST_ERRORS,
  pace,
  type Pace,
} from '../../../src/connectors/registration-pace.ts';
import { HOUR, MINUTE } from '../../support/time/units.ts';

const NOW = 1_800_000_000_000;
const FAILS = { calls: 1, errors: 1, end: 'failed', retryAfter: 0 } as const;
const NOTHING: Pace = pace.parse({});

function pauseOf(kept: Pace, now: number): number {
  return (blockedUntil(kept, now) ?? now) - now;
}

it('within the limits of FortiCloud, whenever queries are made and processes end', () => {
  const calls = fc.integer({ min: 1, max: MOST_CALLS });
  // Errors cause pauses, so that only queries without errors reach the limits of calls.
  const answered = { errors: fc.constant(0), end: fc.constant('answered' as const), isKilled: fc.constant(false) };
  const often = fc.record({ after: fc.integer({ min: 0, max: 30_000 }), calls, ...answered });
  const any = fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 1_000_000 })),
    calls,
    errors: fc.integer({ min: 0, max: MOST_ERRORS }),
    end: fc.constantFrom('answered' as const, 'failed' as const, 'own-trouble' as const),
    isKilled: fc.boolean(),
  });
  const many = { minLength: 300, maxLength: 300 };
  fc.assert(
    fc.property(fc.oneof(fc.array(often, many), fc.array(any, many)), (queries) => {
      let [now, kept] = [NOW, NOTHING];
      const called: number[] = [];
      const errors: number[] = [];
      for (const { after, isKilled, ...made } of queries) {
        now += after;
        if (blockedUntil(kept, now) !== null || isBusy(kept, now)) continue;
        // Who is killed during a call has made at most one that failed, because a failure ends the query.
        const seen = isKilled ? { ...made, errors: 1, end: 'failed' as const } : made;
        called.push(...Array.from({ length: seen.calls }, () => now));
        errors.push(...Array.from({ length: seen.errors }, () => now));
        kept = afterCalls(kept, now, { ...seen, retryAfter: 0 });
      }
      expect(mostWithin(called, MINUTE)).toBeLessThanOrEqual(100);
      expect(mostWithin(called, HOUR)).toBeLessThanOrEqual(1_000);
      expect(mostWithin(errors, HOUR)).toBeLessThanOrEqual(10);
    }),
  );
});

/** @param instants in ascending order */
function mostWithin(instants: readonly number[], span: number): number {
  let first = 0;
  const counts = instants.map((end, index) => {
    while ((instants[first] ?? end) <= end - span) first += 1;
    return index - first + 1;
  });
  return Math.max(0, ...counts);
}

describe('the pause', () => {
  it('is longer after every failure, up to an hour, and short again after a success', () => {
    let [now, kept] = [NOW, NOTHING];
    const pauses = Array.from({ length: 8 }, () => {
      kept = afterCalls(kept, now, FAILS);
      const pause = pauseOf(kept, now);
      now += pause;
      return pause / MINUTE;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    kept = afterCalls(kept, now, { calls: 1, errors: 0, end: 'answered', retryAfter: 0 });
    expect(pauseOf(afterCalls(kept, now, FAILS), now)).toBe(MINUTE);
  });

  it('is neither made nor shortened by a problem of this machine', () => {
    const failed = afterCalls(afterCalls(NOTHING, NOW, FAILS), NOW, FAILS);
    const later = NOW + HOUR;
    const own = afterCalls(failed, later, { calls: 1, errors: 0, end: 'own-trouble', retryAfter: 0 });
    expect(pauseOf(own, later)).toBe(0);
    expect(pauseOf(afterCalls(own, later, FAILS), later)).toBe(4 * MINUTE);
  });

  it('is not needed after refusals, until too many were received within an hour', () => {
    const refusals = (errors: number): Pace => afterCalls(NOTHING, NOW, { ...FAILS, errors, end: 'answered' });
    expect([pauseOf(refusals(7), NOW), pauseOf(refusals(8), NOW + MINUTE)]).toEqual([0, HOUR - MINUTE]);
  });

  it.each([
    { retryAfter: 5 * MINUTE, pause: 5 * MINUTE },
    { retryAfter: 100 * HOUR, pause: HOUR },
    { retryAfter: 1, pause: MINUTE },
  ])('obeys Retry-After, no longer than an hour: $retryAfter', ({ retryAfter, pause }) => {
    expect(pauseOf(afterCalls(NOTHING, NOW, { ...FAILS, retryAfter }), NOW)).toBe(pause);
  });

  it('does not last for days when the wall clock was set back', () => {
    let kept = NOTHING;
    for (let times = 0; times < 5; times += 1) kept = afterCalls(kept, NOW, { ...FAILS, calls: MOST_CALLS });
    const before = NOW - 1_000 * HOUR;
    expect([blockedUntil(kept, NOW) !== null, isBusy(kept, NOW)]).toEqual([true, true]);
    expect([blockedUntil(kept, before), isBusy(kept, before)]).toEqual([null, false]);
  });
});
