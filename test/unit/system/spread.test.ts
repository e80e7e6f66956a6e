import { describe, expect, test } from 'vitest';
import { offsetOf } from '../../../src/system/cron-timer.ts';

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
