import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { spanText, utcText, zonedText, zoneOf } from '../../../src/core/time-text.ts';
import { distanceText } from '../../../src/web/static/distance.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/time/units.ts';

const NOW = Date.parse('2026-11-24T13:00:00Z');

test('utcText() is in UTC, wherever the machine stands', () => {
  expect(utcText(NOW)).toBe('2026-11-24 13:00:00 UTC');
});

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

test.each([
  ['2026-11-24T13:00:05Z', 'Europe/Berlin', '2026-11-24 14:00:05 +01:00 (13:00:05 UTC)'],
  ['2026-07-24T13:00:05.999Z', 'Europe/Berlin', '2026-07-24 15:00:05 +02:00 (13:00:05 UTC)'],
  ['2026-11-24T23:30:00Z', 'Europe/Berlin', '2026-11-25 00:30:00 +01:00 (2026-11-24 23:30:00 UTC)'],
  ['2026-11-24T13:00:05Z', 'America/St_Johns', '2026-11-24 09:30:05 -03:30 (13:00:05 UTC)'],
  ['2026-11-24T13:00:05Z', 'Pacific/Chatham', '2026-11-25 02:45:05 +13:45 (2026-11-24 13:00:05 UTC)'],
  // Both occurrences of the hour that is repeated in autumn.
  ['2026-10-25T00:30:00Z', 'Europe/Berlin', '2026-10-25 02:30:00 +02:00 (00:30:00 UTC)'],
  ['2026-10-25T01:30:00Z', 'Europe/Berlin', '2026-10-25 02:30:00 +01:00 (01:30:00 UTC)'],
  ['2026-11-24T13:00:05Z', 'Europe/London', '2026-11-24 13:00:05 +00:00 (13:00:05 UTC)'],
  ['2026-11-24T13:00:05Z', 'UTC', '2026-11-24 13:00:05 UTC'],
])('%s in %s is %s', (at, timezone, text) => {
  expect(zonedText(Date.parse(at), timezone)).toBe(text);
});

test.each([Number.NaN, 9e15, Infinity])('%d is no time in any zone', (at) => {
  expect(zonedText(at, 'Europe/Berlin')).toBe('no time');
});

test('a zone reads like the text of one instant, and without offset for axes', () => {
  const berlin = zoneOf('Europe/Berlin');
  expect(berlin.name).toBe('Europe/Berlin');
  expect(berlin.text(Date.parse('2026-11-24T23:30:00Z'))).toBe('2026-11-25 00:30:00 +01:00 (2026-11-24 23:30:00 UTC)');
  expect(berlin.local(Date.parse('2026-11-24T23:30:00Z'))).toBe('2026-11-25 00:30:00');
  expect(zoneOf('UTC').local(Date.parse('2026-11-24T23:30:00Z'))).toBe('2026-11-24 23:30:00');
  expect(berlin.local(Number.NaN)).toBe('no time');
});

test.each([
  ['2026-11-24', 'UTC', '2026-11-24T00:00:00Z'],
  ['2026-11-24', 'Europe/Berlin', '2026-11-23T23:00:00Z'],
  // A day of 23 hours and one of 25 hours, each with the day after it.
  ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z'],
  ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00Z'],
  ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
  ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00Z'],
  ['2026-11-24', 'America/New_York', '2026-11-24T05:00:00Z'],
  ['2026-11-24', 'Pacific/Kiritimati', '2026-11-23T10:00:00Z'],
  // If midnight is skipped, the day begins at 01:00. If it occurs twice, the day begins at the first one.
  ['2026-09-06', 'America/Santiago', '2026-09-06T04:00:00Z'],
  ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00Z'],
  // This day was skipped.
  ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['1890-01-01', 'Europe/Berlin', '1889-12-31T23:06:32Z'],
  ['9999-12-31', 'Europe/Berlin', '9999-12-30T23:00:00Z'],
])('%s begins in %s at %s', (day, timezone, start) => {
  expect(zoneOf(timezone).startOfDay(Date.parse(`${day}T00:00:00Z`))).toBe(Date.parse(start));
});

test.each([
  ['2026-11-24T14:00', 'UTC', '2026-11-24T14:00:00Z'],
  ['2026-11-24T14:00', 'Europe/Berlin', '2026-11-24T13:00:00Z'],
  ['2026-07-24T14:00', 'America/New_York', '2026-07-24T18:00:00Z'],
  // This hour occurs twice, and that one is skipped.
  ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z'],
  ['2026-03-29T02:30', 'Europe/Berlin', null],
  ['2026-13-01T00:00', 'UTC', null],
  ['2026-11-24T14:00Z', 'UTC', null],
  ['tomorrow', 'UTC', null],
])('clocks show %s in %s at %s', (local, timezone, instant) => {
  expect(zoneOf(timezone).instant(local)).toBe(instant === null ? null : Date.parse(instant));
});

test.each(['0000-01-01', '0001-01-01', '+010000-01-01'])('the day %s begins somewhere', (day) => {
  expect(zoneOf('America/New_York').startOfDay(Date.parse(`${day}T00:00:00Z`))).not.toBeNaN();
});
