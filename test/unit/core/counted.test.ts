import { expect, test } from 'vitest';
import { counted } from '../../../src/core/visible-text.ts';

test.each([
  [0, '0 days'],
  [1, '1 day'],
  [2, '2 days'],
])('counted() says %i as "%s"', (count, text) => {
  expect(counted(count, 'day')).toBe(text);
});
