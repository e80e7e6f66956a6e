import { describe, expect, test } from 'vitest';

import { zonedTimes } from '../../../src/system/cron-timer.ts';

const MINUTE = 60_000;

/** Returns the local minutes between two instants in which the expression is due, as UTC instants. */
function dueMinutes(expression: string, from: string, to: string): readonly string[] {
  const { isDue } = zonedTimes(expression, 'Europe/Berlin');
  const found: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += MINUTE) {
    if (isDue(at)) found.push(new Date(at).toISOString().slice(5, 16));
  }
  return found;
}

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
