import { describe, expect, test } from 'vitest';
import type { ReferenceObservation } from '../../../../src/core/round.ts';
import { createOlderTls } from '../../../../src/sources/path/older-tls.ts';
import { failed } from '../../../support/chains.ts';

const MINUTE = 60_000;

/** Rounds every half a minute for an hour: how many of them look. */
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
    if (!older.isDue(leafAt(round), isComplained)) continue;
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
    expect([0, 59, 60, 61].map((minutes) => ((time.now = minutes * MINUTE), older.isDue('a', false)))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test('looks again after a changed chain', () => {
    expect(looks((round) => (round < 60 ? 'a' : 'b'))).toBe(2);
  });

  test.each([
    ['cut', failed({ reason: 'reset' }), 12],
    ['refused by the server', null, 1],
  ])('looks again every five minutes while it is %s', (_, outcome, expected) => {
    const kept = outcome === null ? null : ({ kind: 'tls-1.2', label: 'x', isFresh: true, outcome } as const);
    expect(looks(() => 'a', false, kept)).toBe(expected);
  });

  test('looks twelve times an hour at most, with a new leaf on each connection or a complaint', () => {
    expect(looks(String)).toBe(12);
    expect(looks(() => 'a', true)).toBe(12);
  });
});
