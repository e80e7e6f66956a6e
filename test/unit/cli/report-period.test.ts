import { describe, expect, test } from 'vitest';

import { readPeriod } from '../../../src/cli/run-report.ts';

const NOW = Date.parse('2026-11-24T19:55:01Z');

function read(since?: string, until?: string): readonly (string | null)[] {
  const typed = { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
  const period = readPeriod(typed, NOW);
  return [period.since, period.until].map((at) => (at === null ? null : new Date(at).toISOString()));
}

describe('the period of a report', () => {
  test('is all that is kept where nothing is typed', () => {
    expect(read()).toEqual([null, null]);
  });

  test.each([
    ['2026-11-20', undefined, '2026-11-20T00:00:00.000Z', null],
    ['2026-11-20', '2026-11-20', '2026-11-20T00:00:00.000Z', '2026-11-20T23:59:59.999Z'],
    ['2026-11-20T08:00:00+01:00', '2026-11-21T00:00:00Z', '2026-11-20T07:00:00.000Z', '2026-11-21T00:00:00.000Z'],
    ['7d', '1h', '2026-11-17T19:55:01.000Z', '2026-11-24T18:55:01.000Z'],
    [undefined, '2026-11-30', null, '2026-11-30T23:59:59.999Z'],
  ])('reads %s and %s', (since, until, from, to) => {
    expect(read(since, until)).toEqual([from, to]);
  });

  test.each(['yesterday', '2026-13-01', '2026-02-30', '0d', '', '2026-11-24T18:00'])('refuses "%s"', (text) => {
    expect(() => read(text)).toThrow(/^Invalid value for --since: expected a time such as/u);
    expect(() => read(undefined, text)).toThrow(/^Invalid value for --until: expected a time such as/u);
  });

  test.each([
    ['2026-11-25', undefined],
    ['2026-11-20', '2026-11-19'],
    ['1h', '2h'],
  ])('refuses one that ends before it begins: %s to %s', (since, until) => {
    expect(() => read(since, until)).toThrow(/the start must be before the end$/u);
  });
});
