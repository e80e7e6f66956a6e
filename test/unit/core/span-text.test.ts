import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spanText } from '../../../src/core/time-text.ts';
import { distanceText } from '../../../src/web/static/distance.js';

const NOW = Date.parse('2026-11-24T13:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  [0, '0 ms'],
  [11.6, '12 ms'],
  [999.4, '999 ms'],
  [999.5, '1 s'],
  [3_460, '3.5 s'],
  [9_949, '9.9 s'],
  [9_950, '10 s'],
  [14_500, '15 s'],
  [59_499, '59 s'],
  [59_500, '1 min'],
  [90_000, '1 min 30 s'],
  [125_000, '2 min 5 s'],
  [1.6 * HOUR, '1 h 36 min'],
  [HOUR + 59 * SECOND, '1 h'],
  [2 * HOUR - 1, '2 h'],
  [DAY, '1 d'],
  [100_000_000, '1 d 3 h'],
  [90 * DAY, '90 d'],
])('%d ms is told as %s', (span, text) => {
  expect(spanText(span)).toBe(text);
});

describe('distanceText()', () => {
  test.each([
    [0, 'now'],
    [999, 'now'],
    [-999, 'now'],
    [-1_000, '1 s ago'],
    [-9_999, '9 s ago'],
    [-59_999, '59 s ago'],
    [-119_999, '1 min ago'],
    [18 * SECOND, 'in 18 s'],
    [-2 * MINUTE, '2 min ago'],
    [-(HOUR - 1), '59 min ago'],
    [-1.6 * HOUR, '1 h 36 min ago'],
    [-(2 * DAY - 1), '1 d 23 h ago'],
    [90 * DAY, 'in 90 d'],
  ])('%d ms: %s', (offset, expected) => {
    expect(distanceText(NOW + offset, NOW)).toBe(expected);
  });

  test('uses the words of other durations', () => {
    const anySpan = fc.oneof(
      fc.integer({ min: 1, max: 59 }),
      fc.integer({ min: 1, max: 57_600 }).map((n) => n * 60),
    );
    fc.assert(
      fc.property(anySpan, (seconds) => {
        expect(distanceText(NOW - seconds * SECOND, NOW)).toBe(`${spanText(seconds * SECOND)} ago`);
      }),
    );
  });
});
