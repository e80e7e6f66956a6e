import { describe, expect, test } from 'vitest';
import { utcText } from '../../../../src/core/time-text.ts';
import { distanceText, durationText } from '../../../../src/web/page/document.ts';

const NOW = Date.parse('2026-11-24T13:00:00Z');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const DISTANCES: readonly [number, string][] = [
  [0, 'now'],
  [999, 'now'],
  [-999, 'now'],
  [-1_000, '1 s ago'],
  [-59_999, '59 s ago'],
  [18 * SECOND, 'in 18 s'],
  [-MINUTE, '1 min ago'],
  [-(HOUR - 1), '59 min ago'],
  [-HOUR, '1 h ago'],
  [-(2 * DAY - 1), '47 h ago'],
  [-2 * DAY, '2 d ago'],
  [90 * DAY, 'in 90 d'],
];

describe('distanceText()', () => {
  test.each(DISTANCES)('%d ms: %s', (offset, expected) => {
    expect(distanceText(NOW + offset, NOW)).toBe(expected);
  });

  test('says what the script in the browser says', async () => {
    const script: unknown = await import(new URL('../../../../src/web/static/distance.js', import.meta.url).href);
    const { distanceText: inBrowser } = script as { distanceText: typeof distanceText };

    expect(DISTANCES.map(([offset]) => inBrowser(NOW + offset, NOW))).toEqual(
      DISTANCES.map(([, expected]) => expected),
    );
  });
});

describe('durationText()', () => {
  test.each([
    [0, '0.0 s'],
    [1_240, '1.2 s'],
    [14_500, '14 s'],
  ])('%d ms: %s', (span, expected) => {
    expect(durationText(span)).toBe(expected);
  });
});

describe('utcText()', () => {
  test('is in UTC, wherever the machine stands', () => {
    expect(utcText(NOW)).toBe('2026-11-24 13:00:00 UTC');
  });
});
