import { expect, test } from 'vitest';
import { spanText } from '../../../src/core/time-text.ts';

test.each([
  [0, '0 ms'],
  [11.6, '12 ms'],
  [999.4, '999 ms'],
  [999.5, '1 s'],
  [3_460, '3.5 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [86_400_000, '24 h'],
  [100_000_000, '27.8 h'],
  [172_800_000, '2 d'],
])('%d ms is told as %s', (span, text) => {
  expect(spanText(span)).toBe(text);
});
