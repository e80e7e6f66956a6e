import { describe, expect, it } from 'vitest';
import { createMaintenance } from '../../../src/notify/maintenance.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BERLIN = 'Europe/Berlin';

describe('createMaintenance', () => {
  const maintenance = createMaintenance([{ cron: '0 2 * * 0', duration: 2 * HOUR, timezone: BERLIN }]);

  it.each([
    ['2026-11-22T00:59:59.999Z', false],
    ['2026-11-22T01:00:00Z', true],
    ['2026-11-22T02:59:59.999Z', true],
    ['2026-11-22T03:00:00Z', false],
    ['2026-11-23T01:30:00Z', false],
    // In spring, the window begins at 03:00 summer time and still lasts two hours.
    ['2026-03-29T00:59:00Z', false],
    ['2026-03-29T01:00:00Z', true],
    ['2026-03-29T02:59:00Z', true],
    ['2026-03-29T03:00:00Z', false],
    // In autumn, it lasts two hours from the first 02:00.
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

  it('goes by both fields of days where one begins with a star', () => {
    const everyOther = createMaintenance([{ cron: '0 2 */2 * 0', duration: HOUR, timezone: 'UTC' }]);
    // A Tuesday, and a Sunday with an even date.
    expect(everyOther.isActive(Date.parse('2026-11-03T02:30:00Z'))).toBe(false);
    expect(everyOther.isActive(Date.parse('2026-11-08T02:30:00Z'))).toBe(false);
    expect(everyOther.isActive(Date.parse('2026-11-15T02:30:00Z'))).toBe(true);
  });

  it('is never active without windows', () => {
    expect(createMaintenance([]).isActive(0)).toBe(false);
    expect(createMaintenance([]).outlook(0)).toEqual({ until: null, next: null });
  });
});

describe('outlook()', () => {
  const maintenance = createMaintenance([
    { cron: '0 2 * * 0', duration: 2 * HOUR, timezone: 'UTC' },
    { cron: '0 3 * * 0', duration: 4 * HOUR, timezone: 'UTC' },
  ]);

  it.each([
    ['between two', '2026-11-24T13:00:00Z', null, '2026-11-29T02:00:00.000Z', '2026-11-29T04:00:00.000Z'],
    [
      'in the first',
      '2026-11-29T02:30:00Z',
      '2026-11-29T04:00:00.000Z',
      '2026-11-29T03:00:00.000Z',
      '2026-11-29T07:00:00.000Z',
    ],
    [
      'in both',
      '2026-11-29T03:30:00Z',
      '2026-11-29T07:00:00.000Z',
      '2026-12-06T02:00:00.000Z',
      '2026-12-06T04:00:00.000Z',
    ],
  ])('tells what is open and what comes: %s', (...[, now, until, from, end]) => {
    const seen = maintenance.outlook(Date.parse(now));

    expect(seen.until === null ? null : new Date(seen.until).toISOString()).toBe(until);
    expect(seen.next).toEqual({ from: Date.parse(from), until: Date.parse(end) });
  });
});
