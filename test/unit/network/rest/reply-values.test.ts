import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cutList, lenientCount, lenientNumber } from '../../../../src/network/rest/reply-values.ts';

describe('lenientNumber', () => {
  it.each<[unknown, number | null]>([
    [64, 64],
    ['64', 64],
    ['64%', 64],
    [' 64 % ', 64],
    ['1427344.0 KB', 1427344],
    ['0%', 0],
    ['-1', -1],
    ['', null],
    ['KB', null],
    ['1e5', null],
    ['0x10', null],
    ['6 4', null],
    ['9'.repeat(50), null],
    [Number.NaN, null],
    [null, null],
    [undefined, null],
    [{}, null],
    [true, null],
  ])('reads %j as %j', (value, expected) => {
    expect(lenientNumber(value)).toBe(expected);
  });
});

describe('lenientCount', () => {
  it.each<[unknown, number | null]>([
    ['30', 30],
    [0, 0],
    [1.5, null],
    [-1, null],
    ['30.0', 30],
  ])('reads %j as %j', (value, expected) => {
    expect(lenientCount(value)).toBe(expected);
  });
});

it('looks at no more items than that', () => {
  const list = cutList(z.number(), 2);

  expect(list.parse([1, 2, 'x', 'y'])).toEqual([1, 2]);
  expect(list.safeParse([1, 'x', 'y']).error?.issues).toHaveLength(1);
  expect(list.safeParse('not a list').success).toBe(false);
});
