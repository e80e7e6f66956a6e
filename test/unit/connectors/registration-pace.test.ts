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
const FAILS = { calls: 1, errors: 1, isFailed: true, retryAfter: 0 };
const NOTHING: Pace = pace.parse({});

function pauseOf(kept: Pace, now: number): number {
  return (blockedUntil(kept, now) ?? now) - now;
}

it('within the limits of FortiCloud, whenever queries are made and processes end', () => {
  const query = fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 1_000_000 })),
    calls: fc.integer({ min: 1, max: MOST_CALLS }),
    errors: fc.integer({ min: 0, max: MOST_ERRORS }),
    isFailed: fc.boolean(),
    isKilled: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(query, { minLength: 50, maxLength: 300 }), (queries) => {
      let [now, kept] = [NOW, NOTHING];
      const calls: number[] = [];
      const errors: number[] = [];
      for (const { after, isKilled, ...made } of queries) {
        now += after;
        if (blockedUntil(kept, now) !== null || isBusy(kept, now)) continue;
        // Who is killed during a call has made at most one that failed, because a failure ends the query.
        const seen = isKilled ? { ...made, errors: 1, isFailed: true } : made;
        calls.push(...Array.from({ length: seen.calls }, () => now));
        errors.push(...Array.from({ length: seen.errors }, () => now));
        kept = afterCalls(kept, now, { ...seen, retryAfter: 0 });
      }
      expect(mostWithin(calls, MINUTE)).toBeLessThanOrEqual(100);
      expect(mostWithin(calls, HOUR)).toBeLessThanOrEqual(1_000);
      expect(mostWithin(errors, HOUR)).toBeLessThanOrEqual(10);
    }),
  );
});

function mostWithin(instants: readonly number[], span: number): number {
  return Math.max(
    0,
    ...instants.map((end) => instants.filter((instant) => instant <= end && instant > end - span).length),
  );
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
    kept = afterCalls(kept, now, { calls: 1, errors: 0, isFailed: false, retryAfter: 0 });
    expect(pauseOf(afterCalls(kept, now, FAILS), now)).toBe(MINUTE);
  });

  it('is not needed after refusals, until too many were received within an hour', () => {
    const refusals = (errors: number): Pace => afterCalls(NOTHING, NOW, { ...FAILS, errors, isFailed: false });
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
