import { describe, expect, it } from 'vitest';
import { lenientCount, lenientNumber } from '../../../../src/network/rest/reply-values.ts';

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
