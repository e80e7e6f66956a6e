import { describe, expect, test } from 'vitest';
import { parseCron } from '../../../src/core/cron.ts';
import { createMaintenanceOutlook, nextOccurrence } from '../../../src/notify/maintenance-outlook.ts';
import { createZone } from '../../../src/notify/zone.ts';

const HOUR = 3_600_000;
const BERLIN = 'Europe/Berlin';

function next(cron: string, zone: string, now: string): string | null {
  const found = nextOccurrence(parseCron(cron), createZone(zone), Date.parse(now));
  return found === null ? null : new Date(found).toISOString();
}

describe('nextOccurrence()', () => {
  test.each([
    ['a Sunday at two', '0 2 * * 0', BERLIN, '2026-11-24T13:00:00Z', '2026-11-29T01:00:00.000Z'],
    ['later today', '*/20 8-17 * * *', 'UTC', '2026-11-24T13:19:00Z', '2026-11-24T13:20:00.000Z'],
    ['never now itself', '0 13 * * *', 'UTC', '2026-11-24T13:00:00Z', '2026-11-25T13:00:00.000Z'],
    ['over the end of the year', '0 0 1 1 *', 'UTC', '2026-11-24T13:00:00Z', '2027-01-01T00:00:00.000Z'],
    ['none where the date is none', '0 0 31 2 *', 'UTC', '2026-11-24T13:00:00Z', null],
    ['the day of the zone, not of UTC', '0 2 * * *', 'Pacific/Chatham', '2026-11-24T13:00:00Z', '2026-11-25T12:15:00.000Z'],
    // 2026-03-29 02:00 → 03:00 in Berlin
    ['an hour that the spring night lacks', '30 2 * * *', BERLIN, '2026-03-29T00:00:00Z', '2026-03-29T01:00:00.000Z'],
    // 2026-10-25 03:00 → 02:00 in Berlin
    ['an hour that the autumn night has twice: once', '30 2 * * *', BERLIN, '2026-10-25T00:45:00Z', '2026-10-26T01:30:00.000Z'],
    ['every hour goes by real time', '30 * * * *', BERLIN, '2026-10-25T00:45:00Z', '2026-10-25T01:30:00.000Z'],
  ])('finds %s', (...[, cron, zone, now, expected]) => {
    expect(next(cron, zone, now)).toBe(expected);
  });

  test('agrees with a minute by minute walk over both nights of a year', () => {
    const cron = parseCron('*/30 * * * *');
    const zone = createZone(BERLIN);
    for (const start of ['2026-03-28T22:00:00Z', '2026-10-24T22:00:00Z']) {
      for (let now = Date.parse(start); now < Date.parse(start) + 6 * HOUR; now += 60_000) {
        expect(nextOccurrence(cron, zone, now)).toBe((Math.floor(now / (HOUR / 2)) + 1) * (HOUR / 2));
      }
    }
  });
});

describe('createMaintenanceOutlook()', () => {
  const outlook = createMaintenanceOutlook([
    { cron: '0 2 * * 0', duration: 2 * HOUR, timezone: 'UTC' },
    { cron: '0 3 * * 0', duration: 4 * HOUR, timezone: 'UTC' },
  ]);

  test.each([
    ['between two', '2026-11-24T13:00:00Z', null, '2026-11-29T02:00:00.000Z', '2026-11-29T04:00:00.000Z'],
    ['in the first', '2026-11-29T02:30:00Z', '2026-11-29T04:00:00.000Z', '2026-11-29T03:00:00.000Z', '2026-11-29T07:00:00.000Z'],
    ['in both', '2026-11-29T03:30:00Z', '2026-11-29T07:00:00.000Z', '2026-12-06T02:00:00.000Z', '2026-12-06T04:00:00.000Z'],
  ])('tells what is open and what comes: %s', (...[, now, until, from, end]) => {
    const seen = outlook(Date.parse(now));

    expect(seen.until === null ? null : new Date(seen.until).toISOString()).toBe(until);
    expect(seen.next).toEqual({ from: Date.parse(from), until: Date.parse(end) });
  });

  test('has nothing to tell without windows', () => {
    expect(createMaintenanceOutlook([])(0)).toEqual({ until: null, next: null });
  });
});
