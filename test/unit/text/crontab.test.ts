import { describe, expect, test } from 'vitest';
import { readCrontab } from '../../../src/text/crontab.ts';
import { DAY, HOUR, MINUTE } from '../../support/time/units.ts';

const BERLIN = 'Europe/Berlin';

/** Returns the minute in UTC. */
function text(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString().replace(/:00\.000Z$/u, '');
}

function daysOf(expression: string, from: string, days: number): readonly number[] {
  const crontab = readCrontab(expression, 'UTC');
  const first = Date.parse(from);
  const dates: number[] = [];
  for (let next = crontab.next(first - 1); next !== null && next < first + days * DAY; next = crontab.next(next)) {
    dates.push(new Date(next).getUTCDate());
  }
  return dates;
}

/**
 * crontab(5): "If both fields are restricted (i.e., do not contain the "*" character at the beginning), the command
 * will be run when either field matches the current time." November 2026 begins on a Sunday.
 */
describe('the days of crontab(5)', () => {
  test.each<readonly [string, readonly number[]]>([
    ['0 2 * * 0', [1, 8, 15, 22, 29]],
    ['0 2 * * 7', [1, 8, 15, 22, 29]],
    ['0 2 * * sun', [1, 8, 15, 22, 29]],
    ['0 2 1 * *', [1]],
    ['0 2 1,15 * *', [1, 15]],
    // Both fields are restricted, so either can match.
    ['0 2 2 * 0', [1, 2, 8, 15, 22, 29]],
    ['0 2 1 * 0', [1, 8, 15, 22, 29]],
    ['0 2 1-3 * 0', [1, 2, 3, 8, 15, 22, 29]],
    ['0 2 1-30/10 * 0', [1, 8, 11, 15, 21, 22, 29]],
    ['0 2 24 * fri', [6, 13, 20, 24, 27]],
    ['0 2 5,*/10 * 0', [1, 5, 8, 11, 15, 21, 22, 29]],
    // One field begins with "*", so both must match.
    ['0 2 */2 * 0', [1, 15, 29]],
    ['0 2 */7 * 0', [1, 8, 15, 22, 29]],
    ['0 2 */10 * 0', [1]],
    ['0 2 2 * */7', []],
    ['0 2 1-7 * */7', [1]],
    ['0 2 8-14 * */2', [8, 10, 12, 14]],
    ['0 2 */2 * *', [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29]],
    // Another month.
    ['0 2 * dec 0', []],
    ['0 2 * jan,nov mon-tue', [2, 3, 9, 10, 16, 17, 23, 24, 30]],
    ['0 2 * * fri-sun', [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28, 29]],
    ['0 2 * * 5-7', [1, 6, 7, 8, 13, 14, 15, 20, 21, 22, 27, 28, 29]],
  ])('"%s" in November 2026', (expression, days) => {
    expect(daysOf(expression, '2026-11-01T00:00:00Z', 30)).toEqual(days);
  });
});

/**
 * cron(8): jobs in the hour that is skipped in spring are run immediately, and jobs in the hour that is repeated in
 * autumn are run once; "only jobs that run at a specific time (not specified […] with '*' in the hour or minute
 * specifier) are affected".
 */
describe('a time', () => {
  test.each([
    ['an ordinary one', '0 2 * * 0', BERLIN, '2026-11-24T13:00', '2026-11-22T01:00', '2026-11-29T01:00'],
    [
      'names, lists and ranges',
      '*/20 8-17 * nov mon-fri',
      'UTC',
      '2026-11-24T13:19',
      '2026-11-24T13:00',
      '2026-11-24T13:20',
    ],
    ['exactly now', '0 13 * * *', 'UTC', '2026-11-24T13:00', '2026-11-24T13:00', '2026-11-25T13:00'],
    ['just before', '0 13 * * *', 'UTC', '2026-11-24T12:59:59.999', '2026-11-23T13:00', '2026-11-24T13:00'],
    ['over the year', '0 0 1 1 *', 'UTC', '2026-11-24T13:00', '2026-01-01T00:00', '2027-01-01T00:00'],
    ['a leap day', '0 2 29 2 *', 'UTC', '2026-11-24T13:00', '2024-02-29T02:00', '2028-02-29T02:00'],
    ['a step from a value', '10/20 5 * * *', 'UTC', '2026-11-24T13:00', '2026-11-24T05:50', '2026-11-25T05:10'],
    [
      'a zone with 45 minutes',
      '0 2 * * *',
      'Pacific/Chatham',
      '2026-11-24T13:00',
      '2026-11-24T12:15',
      '2026-11-25T12:15',
    ],
    // 2026-03-29 02:00 → 03:00 in Berlin
    ['that the spring night lacks', '30 2 * * *', BERLIN, '2026-03-29T00:59', '2026-03-28T01:30', '2026-03-29T01:00'],
    ['that the spring night lacked', '30 2 * * *', BERLIN, '2026-03-29T12:00', '2026-03-29T01:00', '2026-03-30T00:30'],
    ['of a list that it lacks', '0,30 2-4 * * *', BERLIN, '2026-03-29T00:59', '2026-03-28T03:30', '2026-03-29T01:00'],
    ['of a step that it lacks', '30 2-4/2 * * *', BERLIN, '2026-03-29T00:59', '2026-03-28T03:30', '2026-03-29T01:00'],
    ['by real time in it', '*/20 2 * * *', BERLIN, '2026-03-29T12:00', '2026-03-28T01:40', '2026-03-30T00:00'],
    // 2026-10-25 03:00 → 02:00 in Berlin
    [
      'that the autumn night has twice',
      '30 2 * * *',
      BERLIN,
      '2026-10-25T00:45',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ],
    ['of a list that it has twice', '0,30 2 * * *', BERLIN, '2026-10-25T01:45', '2026-10-25T00:30', '2026-10-26T01:00'],
    ['by real time in that', '30 * * * *', BERLIN, '2026-10-25T00:45', '2026-10-25T00:30', '2026-10-25T01:30'],
    [
      'of a zone that goes back by half an hour',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T15:00',
      '2026-04-04T14:45',
      '2026-04-05T15:15',
    ],
    [
      'of a day that a zone skipped',
      '0 12 30 12 *',
      'Pacific/Apia',
      '2011-12-31T12:00',
      '2010-12-30T22:00',
      '2012-12-29T22:00',
    ],
  ])('%s', (...[, expression, zone, now, last, next]) => {
    const crontab = readCrontab(expression, zone);
    const at = Date.parse(`${now}Z`);
    expect([crontab.last(at), crontab.next(at)].map(text)).toEqual([last, next]);
  });

  test('agrees with a walk minute by minute over both nights of a year', () => {
    const crontab = readCrontab('*/30 * * * *', BERLIN);
    for (const start of ['2026-03-28T22:00:00Z', '2026-10-24T22:00:00Z']) {
      for (let now = Date.parse(start); now < Date.parse(start) + 6 * HOUR; now += MINUTE) {
        const half = Math.floor(now / (HOUR / 2));
        expect([crontab.last(now), crontab.next(now)]).toEqual([half * (HOUR / 2), (half + 1) * (HOUR / 2)]);
      }
    }
  });
});

describe('what cannot be read', () => {
  test.each(
    (
      ' | * * * * | 60 * * * * | * 24 * * * | * * 0 * * | * * * 13 * | * * * foo * | * mon * * * | * * * * 8 | 5-1 * * * * | */0 * * * * | ' +
      '1/0 * * * * | 1,,2 * * * * | 1, * * * * | 30 * * * * * | 0 2 31 2 * | @daily | 0 2 L * * | 0 2 15W * * | 0 2 ? * * | 0 2 * * 1#2 | 0 2 * * +1 | 0 2 * * fri-mon'
    ).split(' | '),
  )('refuses "%s"', (expression) => {
    expect(() => readCrontab(expression, 'UTC')).toThrow(
      `Cannot read the cron expression "${expression}": expected five fields "minute hour day month weekday", as ` +
        'in "0 2 * * 0"',
    );
  });
});
