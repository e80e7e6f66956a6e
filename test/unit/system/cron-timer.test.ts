import cron from 'node-cron';
import { describe, expect, test } from 'vitest';
import { offsetOf, zonedTimes } from '../../../src/system/cron-timer.ts';
import { MINUTE } from '../../support/time/units.ts';

/** Returns the local minutes between two instants in which the expression is due, as UTC instants. */
function dueMinutes(expression: string, from: string, to: string): readonly string[] {
  const { isDue } = zonedTimes(expression, 'Europe/Berlin');
  const found: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += MINUTE) {
    if (isDue(at)) found.push(new Date(at).toISOString().slice(5, 16));
  }
  return found;
}

test.each([
  '0 30 3 * * 1-5',
  '0 30 3 * * 0-7',
  '0 30 3 * * mon,Wed',
  '0 30 3 * feb-apr *',
  '0 30 3 L * ?',
  '0 30 3 * * 1#2',
  '0 30 3 * * friL',
])('zonedTimes() reads "%s" as node-cron does', (expression) => {
  const task = cron.createTask(expression, () => undefined, { timezone: 'UTC' });
  void task.destroy();
  const { next } = zonedTimes(expression, 'UTC');
  let at = Date.now();
  for (const run of task.getNextRuns(40)) {
    at = next(at) ?? Number.NaN;
    expect(new Date(at)).toEqual(run);
  }
});

describe('zonedTimes() in Europe/Berlin', () => {
  test('follows the wall clock on an ordinary day', () => {
    expect(dueMinutes('0 30 2 * * *', '2026-07-01T00:00Z', '2026-07-02T00:00Z')).toEqual(['07-01T00:30']);
    expect(dueMinutes('0 30 2 * * *', '2026-12-01T00:00Z', '2026-12-02T00:00Z')).toEqual(['12-01T01:30']);
  });

  test('runs a fixed time that the spring night skips right after the gap, once', () => {
    expect(dueMinutes('0 30 2 * * *', '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '03-29T01:00',
      '03-30T00:30',
    ]);
  });

  test('runs a fixed time that the autumn night repeats once', () => {
    expect(dueMinutes('0 30 2 * * *', '2026-10-24T12:00Z', '2026-10-26T12:00Z')).toEqual([
      '10-25T00:30',
      '10-26T01:30',
    ]);
  });

  test('goes on through both passes of the autumn hour when meant for every hour', () => {
    expect(dueMinutes('*/30 * * * *', '2026-10-25T00:00Z', '2026-10-25T02:00Z')).toEqual([
      '10-25T00:00',
      '10-25T00:30',
      '10-25T01:00',
      '10-25T01:30',
    ]);
  });

  test('misses no half hour of the spring night', () => {
    expect(dueMinutes('*/30 * * * *', '2026-03-29T00:00Z', '2026-03-29T02:00Z')).toHaveLength(4);
  });

  test('knows days of the week by the wall clock', () => {
    expect(dueMinutes('0 30 0 * * 1', '2026-07-05T00:00Z', '2026-07-07T00:00Z')).toEqual(['07-05T22:30']);
  });
});

const SITES = Array.from({ length: 1_000 }, (_, index) => `site-${String(index)}`);

describe('offsetOf()', () => {
  test('is the same for the same seed, always', () => {
    expect(offsetOf('hq */30 * * * * *', 30_000)).toBe(offsetOf('hq */30 * * * * *', 30_000));
    // A literal value, so that an upgrade does not shift every site at once.
    expect(offsetOf('hq */30 * * * * *', 30_000)).toBe(1_527);
  });

  test.each([
    { period: 1_000, most: 100 },
    { period: 30_000, most: 3_000 },
    { period: 3_600_000, most: 5_000 },
  ])('is at most $most ms of a period of $period ms, and uses all of it', ({ period, most }) => {
    const offsets = SITES.map((site) => offsetOf(site, period));
    expect(Math.min(...offsets)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...offsets)).toBeLessThan(most * 0.05);
    expect(Math.max(...offsets)).toBeLessThan(most);
    expect(Math.max(...offsets)).toBeGreaterThan(most * 0.95);
  });

  test('puts no more than a few of many sites into the same tenth of a second', () => {
    const tenths = Map.groupBy(SITES, (site) => Math.floor(offsetOf(site, 30_000) / 100));
    expect(Math.max(...[...tenths.values()].map(({ length }) => length))).toBeLessThan(60);
  });
});
