import { describe, expect, test } from 'vitest';

import type { Millis } from '../../../src/core/clock.ts';
import { flakyPath, type FailsAt } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import { samples } from '../../support/random/samples.ts';

const SEEDS = Array.from({ length: samples(20) }, (_, index) => index + 1);
/** A month takes a second. */
const DAYS = samples(3);

function share(seed: number, part: number): FailsAt {
  const random = randomOf(seed);
  return () => random() < part;
}

function toldWithin(seed: number, fails: FailsAt, time: Millis): boolean {
  // The fault begins at any time between two rounds.
  const begins = START + 2 * MINUTE + randomOf(seed + 1_000)() * 30 * SECOND;
  const site = flakyPath((connection) => connection.at >= begins && fails(connection));
  site.run(time + 5 * MINUTE);
  const [first] = site.line.told;
  return first !== undefined && first.at - begins <= time;
}

function holds(check: (seed: number) => boolean): number {
  return SEEDS.filter(check).length;
}

describe('an intermittent fault, at the default schedule', () => {
  test('every second flow bad is told within 3 minutes, with 95 of 100 seeds', () => {
    expect(holds((seed) => toldWithin(seed, share(seed, 0.5), 3 * MINUTE))).toBeGreaterThanOrEqual(0.95 * SEEDS.length);
  });

  test('one flow of five bad is told within 15 minutes, with 95 of 100 seeds', () => {
    expect(holds((seed) => toldWithin(seed, share(seed, 0.2), 15 * MINUTE))).toBeGreaterThanOrEqual(
      0.95 * SEEDS.length,
    );
  });

  test(`independent blips of 2 % open less than one incident a month (${String(DAYS)} days)`, () => {
    const site = flakyPath(share(1, 0.02));
    site.run(DAYS * DAY);
    expect(site.opened()).toBeLessThanOrEqual(Math.floor(DAYS / 30));
  });

  test('one that alternates strictly opens an incident, told once', () => {
    const site = flakyPath(alternating());
    site.run(2 * HOUR);
    expect(site.events()).toEqual(['firing']);
  });

  test.each([5 * SECOND, 30 * SECOND])(
    'a forged certificate at every twelfth connection, at rounds of %i ms, opens an incident, told once',
    (every) => {
      let count = 0;
      const forged: FailsAt = () => {
        count += 1;
        return count % 12 === 0 ? 'inspection' : false;
      };
      const site = flakyPath(forged, { every });
      site.run(2 * HOUR);
      expect(site.events()).toEqual(['firing']);
    },
  );

  test('one incident, one firing mail, one end, with 95 of 100 seeds', () => {
    const once = holds((seed) => {
      const random = randomOf(seed);
      const site = flakyPath(({ at }) => at < START + 2 * HOUR && random() < 0.5);
      site.run(3 * HOUR);
      return JSON.stringify(site.events()) === '["firing","resolved"]';
    });
    expect(once).toBeGreaterThanOrEqual(0.95 * SEEDS.length);
  });

  test.each([
    [1, 1, true],
    [2, 2, true],
    [5, 5, true],
    [10, 10, true],
    [2, 20, true],
    [20, 2, true],
    [40, 5, false],
    [25, 25, false],
  ])('%i minutes down and %i up, six times: outages, of which the sixth in two hours ends later: %s', (...course) => {
    const [down, up, flaps] = course;
    const period = (down + up) * MINUTE;
    const ends = START + 6 * period - up * MINUTE;
    const site = flakyPath(({ at }) => at < ends && (at - START) % period < down * MINUTE);
    site.run(ends - START + HOUR);
    expect(site.events()).toEqual(Array.from({ length: 6 }, () => ['firing', 'resolved']).flat());
    const times = site.line.told.map(({ at }) => at - START);
    for (const outage of [0, 1, 2, 3, 4])
      expect(times.slice(2 * outage, 2 * outage + 2)).toEqual([
        expect.closeTo(outage * period + 5 * SECOND, -4.3),
        expect.closeTo(outage * period + down * MINUTE + 30 * SECOND, -4),
      ]);
    expect(times[11]).toBeCloseTo(ends - START + (flaps ? 14.5 : 0.5) * MINUTE, -5);
    const told = site.line.told.flatMap((one) => (one.kind === 'incident' ? [one.incident] : []));
    expect(told.some(({ cause }) => cause.summary.includes('intermittent'))).toBe(false);
    expect(told[10]).toMatchObject({ flapping: flaps });
  });

  test('a fault that never flapped opens within 10 seconds, and ends with the second round without it', () => {
    const [begins, ends] = [START + 10 * MINUTE, START + 20 * MINUTE];
    const site = flakyPath(({ at }) => at >= begins && at < ends);
    site.run(HOUR);
    expect(site.line.told.map(({ at }) => at - START)).toEqual([
      expect.closeTo(10 * MINUTE + 3 * SECOND, -4),
      ends - START + 30 * SECOND,
    ]);
  });
});

test('a line that drops some connections and cuts others off is one incident, with 95 of 100 seeds', () => {
  const once = holds((seed) => {
    const random = randomOf(seed);
    const site = flakyPath(() => {
      const lost = random();
      return lost < 0.2 ? 'drop' : lost < 0.4 && 'reset';
    });
    site.run(HOUR);
    return site.line.transitions.filter((transition) => !transition.startsWith('closed')).length === 1;
  });
  expect(once).toBeGreaterThanOrEqual(0.95 * SEEDS.length);
});

// Other connections of a round are counted in test/integration/round.
describe('rounds and bursts', () => {
  test.each<readonly [string, number, FailsAt]>([
    ['everything works', 120, () => false],
    ['nothing answers', 142, () => true],
    ['every second flow is bad', 370, share(1, 0.5)],
    ['every fifth flow is bad', 390, share(1, 0.2)],
    ['one of fifty fails by itself', 290, share(1, 0.02)],
    ['every second round fails', 500, ({ round }) => round % 2 === 1],
    ['it is down for a minute and up for one', 840, ({ at }) => (at - START) % (2 * MINUTE) < MINUTE],
  ])('when %s: no more than %i connections an hour to each address', (_, most, fails) => {
    const site = flakyPath(fails);
    const hours = Array.from({ length: 6 }, () => {
      const before = site.connections();
      site.run(HOUR);
      return site.connections() - before;
    });
    expect(Math.max(...hours)).toBeLessThanOrEqual(most);
  });
});

function alternating(): FailsAt {
  let count = 0;
  return () => {
    count += 1;
    return count % 2 === 0;
  };
}
