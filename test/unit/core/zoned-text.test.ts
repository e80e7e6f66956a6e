import { expect, test } from 'vitest';
import { zonedText, zoneOf } from '../../../src/core/time-text.ts';

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
