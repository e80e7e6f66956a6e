import { describe, expect, test } from 'vitest';
import type { ReferenceObservation } from '../../../src/core/round.ts';
import { loadRoundMemory } from '../../../src/round/memory.ts';
import { handClock } from '../../support/time/hand-clock.ts';

const MINUTE = 60_000;

async function memoryAt(start: number) {
  const clock = handClock(start);
  return { clock, older: (await loadRoundMemory('license.test:443', {}, clock)).olderTls };
}

/** Returns the number of checks in an hour with a round every 30 seconds. */
async function looks(
  leafAt: (round: number) => string,
  isComplained = false,
  seen: ReferenceObservation | null = null,
): Promise<number> {
  const { clock, older } = await memoryAt(0);
  let count = 0;
  for (let round = 0; round < 120; round += 1) {
    if (older.isDue(leafAt(round), { isComplained, isDisputed: false })) {
      count += 1;
      older.last = seen;
    }
    clock.advance(MINUTE / 2);
  }
  return count;
}

describe('the comparison with TLS 1.2', () => {
  test('looks at once, and then once an hour', async () => {
    expect(await looks(() => 'a')).toBe(1);
    const { clock, older } = await memoryAt(0);
    const isDue = [0, 59, 1, 1].map((minutes) => {
      clock.advance(minutes * MINUTE);
      return older.isDue('a', { isComplained: false, isDisputed: false });
    });
    expect(isDue).toEqual([true, false, true, false]);
  });

  test('looks in each round as long as the versions differ, and at once after a clock was set back', async () => {
    const { clock, older } = await memoryAt(1_000_000);
    const isDue = (isDisputed: boolean): boolean => older.isDue('a', { isComplained: false, isDisputed });
    expect([isDue(false), isDue(true), isDue(true), isDue(false)]).toEqual([true, true, true, false]);
    clock.step(-1_000_000);
    expect(isDue(false)).toBe(true);
  });

  test('looks again after a changed chain', async () => {
    expect(await looks((round) => (round < 60 ? 'a' : 'b'))).toBe(2);
  });

  test('looks twelve times an hour at most, with a new leaf on each connection or a complaint', async () => {
    expect(await looks(String)).toBe(12);
    expect(await looks(() => 'a', true)).toBe(12);
  });
});
