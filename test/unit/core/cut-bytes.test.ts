import { expect, test } from 'vitest';
import { cutToBytes } from '../../../src/core/visible-text.ts';

test.each([
  ['abcdef', 6, 'abcdef'],
  ['abcdefg', 6, 'abc'],
  ['a€€€', 10, 'a€€€'],
  ['a€€€', 9, 'a€'],
  ['😀😀', 7, '😀'],
  ['😀😀', 6, ''],
])('cutToBytes(%j, %i) is %j', (text, bytes, cut) => {
  expect(cutToBytes(text, bytes)).toBe(cut);
});
