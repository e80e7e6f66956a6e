import { expect, test } from 'vitest';
import { zonedText } from '../../../src/core/time-text.ts';

test.each([
  ['2026-11-24T13:00:05Z', 'Europe/Berlin', '2026-11-24 14:00:05 +01:00 (13:00:05 UTC)'],
  ['2026-07-24T13:00:05.999Z', 'Europe/Berlin', '2026-07-24 15:00:05 +02:00 (13:00:05 UTC)'],
  ['2026-11-24T23:30:00Z', 'Europe/Berlin', '2026-11-25 00:30:00 +01:00 (2026-11-24 23:30:00 UTC)'],
  ['2026-11-24T13:00:05Z', 'America/St_Johns', '2026-11-24 09:30:05 -03:30 (13:00:05 UTC)'],
  ['2026-11-24T13:00:05Z', 'Pacific/Chatham', '2026-11-25 02:45:05 +13:45 (2026-11-24 13:00:05 UTC)'],
  // Both of the hours that the clocks show twice.
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
