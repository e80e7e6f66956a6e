import { describe, expect, it } from 'vitest';
import { parseCron } from '../../../src/core/cron.ts';
import { createMaintenance, lastOccurrence } from '../../../src/notify/maintenance.ts';
import { createZone } from '../../../src/notify/zone.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BERLIN = 'Europe/Berlin';

function last(cron: string, zone: string, now: string, within = 8 * DAY): string | null {
  const found = lastOccurrence(parseCron(cron), createZone(zone), { now: Date.parse(now), within });
  return found === null ? null : new Date(found).toISOString();
}

describe('lastOccurrence', () => {
  it.each([
    ['a Sunday at two', '0 2 * * 0', BERLIN, '2026-11-24T13:00:00Z', '2026-11-22T01:00:00.000Z'],
    ['Sunday written as 7', '0 2 * * 7', 'UTC', '2026-11-24T13:00:00Z', '2026-11-22T02:00:00.000Z'],
    ['with seconds in front', '0 0 2 * * 0', 'UTC', '2026-11-24T13:00:00Z', '2026-11-22T02:00:00.000Z'],
    ['names, lists and ranges', '*/20 8-17 * jan,nov mon-fri', 'UTC', '2026-11-24T13:19:00Z', '2026-11-24T13:00:00.000Z'],
    ['the evening before', '30 23 * * *', 'UTC', '2026-11-24T00:10:00Z', '2026-11-23T23:30:00.000Z'],
    ['day or weekday', '0 0 24 * fri', 'UTC', '2026-11-26T13:00:00Z', '2026-11-24T00:00:00.000Z'],
    ['exactly now', '0 13 * * *', 'UTC', '2026-11-24T13:00:00Z', '2026-11-24T13:00:00.000Z'],
    ['a zone with 45 minutes', '0 2 * * *', 'Pacific/Chatham', '2026-11-24T13:00:00Z', '2026-11-24T12:15:00.000Z'],
    ['a step from a value', '10/20 5 * * *', 'UTC', '2026-11-24T13:00:00Z', '2026-11-24T05:50:00.000Z'],
    ['none within the span', '0 0 1 1 *', 'UTC', '2026-11-24T13:00:00Z', null],
    // 2026-03-29 02:00 → 03:00 in Berlin
    [
      'an hour that the spring night lacks: when the clock is set forward',
      '30 2 * * *',
      BERLIN,
      '2026-03-29T12:00:00Z',
      '2026-03-29T01:00:00.000Z',
    ],
    ['the hour after it', '30 3 * * *', BERLIN, '2026-03-29T12:00:00Z', '2026-03-29T01:30:00.000Z'],
    // 2026-10-25 03:00 → 02:00 in Berlin
    ['an hour that the autumn night has twice: the first', '30 2 * * *', BERLIN, '2026-10-25T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['every hour goes by real time: first', '30 * * * *', BERLIN, '2026-10-25T00:45:00Z', '2026-10-25T00:30:00.000Z'],
    ['every hour goes by real time: second', '30 * * * *', BERLIN, '2026-10-25T01:45:00Z', '2026-10-25T01:30:00.000Z'],
    ['a zone that skipped a whole day', '0 12 30 12 *', 'Pacific/Apia', '2011-12-31T12:00:00Z', '2011-12-30T10:00:00.000Z'],
  ])('finds %s', (...[, cron, zone, now, expected]) => {
    expect(last(cron, zone, now)).toBe(expected);
  });

  it('agrees with a minute by minute search over both nights of a year', () => {
    const cron = parseCron('*/30 * * * *');
    const zone = createZone(BERLIN);
    for (const start of ['2026-03-28T22:00:00Z', '2026-10-24T22:00:00Z']) {
      for (let now = Date.parse(start); now < Date.parse(start) + 6 * HOUR; now += 60_000) {
        expect(lastOccurrence(cron, zone, { now, within: HOUR })).toBe(Math.floor(now / (HOUR / 2)) * (HOUR / 2));
      }
    }
  });
});

describe('createMaintenance', () => {
  const maintenance = createMaintenance([{ cron: '0 2 * * 0', duration: 2 * HOUR, timezone: BERLIN }]);

  it.each([
    ['2026-11-22T00:59:59.999Z', false],
    ['2026-11-22T01:00:00Z', true],
    ['2026-11-22T02:59:59.999Z', true],
    ['2026-11-22T03:00:00Z', false],
    ['2026-11-23T01:30:00Z', false],
    // Spring: it begins at 03:00 summer time and lasts two hours all the same.
    ['2026-03-29T00:59:00Z', false],
    ['2026-03-29T01:00:00Z', true],
    ['2026-03-29T02:59:00Z', true],
    ['2026-03-29T03:00:00Z', false],
    // Autumn: from the first 02:00 on, two hours.
    ['2026-10-25T00:00:00Z', true],
    ['2026-10-25T01:59:00Z', true],
    ['2026-10-25T02:00:00Z', false],
  ])('at %s: %s', (now, expected) => {
    expect(maintenance.isActive(Date.parse(now))).toBe(expected);
  });

  it('lasts over midnight and for days', () => {
    const long = createMaintenance([{ cron: '0 22 * * fri', duration: 3 * DAY, timezone: 'UTC' }]);
    expect(long.isActive(Date.parse('2026-11-23T21:59:00Z'))).toBe(true);
    expect(long.isActive(Date.parse('2026-11-23T22:00:00Z'))).toBe(false);
  });

  it('is never active without windows', () => {
    expect(createMaintenance([]).isActive(0)).toBe(false);
  });
});
