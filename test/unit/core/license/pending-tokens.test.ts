import { expect, it } from 'vitest';
import { MOST_PENDING, pendingSince } from '../../../../src/core/license/appliance.ts';

const BEFORE = new Map([
  ['a', 1000],
  ['b', 2000],
]);

it.each<[string, readonly string[], boolean, number, readonly (readonly [string, number])[]]>([
  [
    'those that wait still, and a new one',
    ['a', 'b', 'c'],
    true,
    3000,
    [
      ['a', 1000],
      ['b', 2000],
      ['c', 3000],
    ],
  ],
  ['nothing of those that wait no more', ['b'], true, 3000, [['b', 2000]]],
  [
    'those of a unit that did not tell',
    ['c'],
    false,
    3000,
    [
      ['a', 1000],
      ['b', 2000],
      ['c', 3000],
    ],
  ],
  [
    'no time that is still to come, after the clock was set back',
    ['a', 'b'],
    true,
    1500,
    [
      ['a', 1000],
      ['b', 1500],
    ],
  ],
])('pendingSince() keeps %s', (...[, ids, isWhole, at, expected]) => {
  expect([...pendingSince(BEFORE, { ids, isWhole, at })]).toEqual(expected);
});

it('pendingSince() is bounded', () => {
  const ids = Array.from({ length: MOST_PENDING + 10 }, (_, index) => String(index));
  expect(pendingSince(BEFORE, { ids, isWhole: false, at: 3000 }).size).toBe(MOST_PENDING);
});
