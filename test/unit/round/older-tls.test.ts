import { describe, expect, test } from 'vitest';
import type { ReferenceObservation } from '../../../src/core/round.ts';
import { createOlderTls } from '../../../src/round/memory.ts';

const MINUTE = 60_000;

/** Returns the number of checks in an hour with a round every 30 seconds. */
function looks(
  leafAt: (round: number) => string,
  isComplained = false,
  seen: ReferenceObservation | null = null,
): number {
  const time = { now: 0 };
  const older = createOlderTls({ now: () => time.now });
  let count = 0;
  for (let round = 0; round < 120; round += 1) {
    time.now = (round * MINUTE) / 2;
    if (!older.isDue(leafAt(round), { isComplained, isDisputed: false })) continue;
    count += 1;
    older.keep(seen);
  }
  return count;
}

describe('createOlderTls()', () => {
  test('looks at once, and then once an hour', () => {
    expect(looks(() => 'a')).toBe(1);
    const time = { now: 0 };
    const older = createOlderTls({ now: () => time.now });
    expect(
      [0, 59, 60, 61].map(
        (minutes) => ((time.now = minutes * MINUTE), older.isDue('a', { isComplained: false, isDisputed: false })),
      ),
    ).toEqual([true, false, true, false]);
  });

  test('looks in each round as long as the versions differ, and at once after a clock was set back', () => {
    const time = { now: 1_000_000 };
    const older = createOlderTls({ now: () => time.now });
    const isDue = (isDisputed: boolean): boolean => older.isDue('a', { isComplained: false, isDisputed });
    expect([isDue(false), isDue(true), isDue(true), isDue(false)]).toEqual([true, true, true, false]);
    time.now = 0;
    expect(isDue(false)).toBe(true);
  });

  test('looks again after a changed chain', () => {
    expect(looks((round) => (round < 60 ? 'a' : 'b'))).toBe(2);
  });

  test('looks twelve times an hour at most, with a new leaf on each connection or a complaint', () => {
    expect(looks(String)).toBe(12);
    expect(looks(() => 'a', true)).toBe(12);
  });
});
