import { expect, test } from 'vitest';
import { oncePer } from '../../../src/core/once-per.ts';

test('an object is worked on once, and another that is equal to it by itself', () => {
  const seen: unknown[] = [];
  const lengthOf = oncePer((list: readonly number[]) => {
    seen.push(list);
    return list.length;
  });
  const list = [1, 2];
  expect([lengthOf(list), lengthOf(list), lengthOf([1, 2])]).toEqual([2, 2, 2]);
  expect(seen).toEqual([list, [1, 2]]);
});

test('an answer of undefined is kept too, and an error is thrown again', () => {
  let times = 0;
  const key = {};
  const nothing = oncePer(() => {
    times += 1;
  });
  nothing(key);
  nothing(key);
  expect(times).toBe(1);
  const fails = oncePer(() => {
    times += 1;
    throw new Error('no');
  });
  expect(() => fails(key)).toThrow('no');
  expect(() => fails(key)).toThrow('no');
  expect(times).toBe(3);
});
