import { expect, test } from 'vitest';
import { nameList } from '../../../src/core/visible-text.ts';

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `fac-${String(index + 1)}`);

test.each([
  [0, ''],
  [2, 'fac-1, fac-2'],
  [8, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7, fac-8'],
  [9, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7 and 2 more'],
  [1_000, 'fac-1, fac-2, fac-3, fac-4, fac-5, fac-6, fac-7 and 993 more'],
])('%i names', (count, text) => {
  expect(nameList(names(count))).toBe(text);
});
