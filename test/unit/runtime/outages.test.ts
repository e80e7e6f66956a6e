import { describe, expect, test } from 'vitest';
import type { EpochMs, Millis } from '../../../src/core/clock.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import { INTERMITTENT_RULE } from '../../../src/checks/intermittent/finding.ts';
import { applianceWorld } from '../../support/checks/complaining-appliance.ts';
import { flakyPath, type FlakyPath, type PathFault } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../support/time/units.ts';
import { samples } from '../../support/random/samples.ts';

const SEQUENCES = samples(8);

interface Outage {
  readonly begins: EpochMs;
  readonly ends: EpochMs;
}

/** Observations while a path ran. */
interface Course {
  /** The path was reported as intermittent at some time. */
  readonly isIntermittent: boolean;
  /** Time from each end until the path was ready again, and until the message was sent. */
  readonly readyAfter: readonly Millis[];
  readonly resolvedAfter: readonly Millis[];
}

/** Returns null if nothing has happened yet. */
function seenBy(site: FlakyPath): Diagnosis | null {
  return site.line.inputs.length === 0 ? null : site.last().diagnosis;
}

function isIntermittent(seen: Diagnosis | null): boolean {
  return seen?.preconditions.some(({ findings }) => findings.some(({ rule }) => rule === INTERMITTENT_RULE)) === true;
}

/** Runs until three minutes after the last end. */
function courseOf(site: FlakyPath, ends: readonly EpochMs[], every: Millis): Course {
  const readyAt: EpochMs[] = [];
  let seenIntermittent = false;
  let before: string | null = null;
  site.run(every);
  for (let at = START + every; at < (ends.at(-1) ?? START) + 3 * MINUTE; at += every) {
    site.run(every);
    const seen = seenBy(site);
    if (seen?.ready === 'ready' && before === 'not-ready') readyAt.push(seen.at);
    before = seen?.ready ?? null;
    seenIntermittent ||= isIntermittent(seen);
  }
  const resolvedAt = site.line.told.flatMap((told) =>
    told.kind === 'incident' && told.event === 'resolved' ? [told.at] : [],
  );
  const firstAfter = (times: readonly EpochMs[]): readonly Millis[] =>
    ends.map((end, index) => {
      const next = times.find((at) => at >= end && at < (ends[index + 1] ?? Infinity));
      return next === undefined ? Infinity : next - end;
    });
  return { isIntermittent: seenIntermittent, readyAfter: firstAfter(readyAt), resolvedAfter: firstAfter(resolvedAt) };
}

function isIn(outages: readonly Outage[], at: EpochMs): boolean {
  return outages.some(({ begins, ends }) => at >= begins && at < ends);
}

/** Returns one to six outages, from 10 s to 10 minutes long, 20 s to half an hour apart. */
function randomOutages(seed: number, every: Millis): readonly Outage[] {
  const random = randomOf(seed);
  const between = (least: number, most: number): Millis => SECOND * least * (most / least) ** random();
  let at = START + 2 * MINUTE + random() * every;
  return Array.from({ length: 1 + Math.floor(random() * 6) }, () => {
    const outage = { begins: at, ends: at + between(10, 600) };
    at = outage.ends + between(20, 1_800);
    return outage;
  });
}

describe('random sequences of outages', () => {
  test.each([
    { every: 5 * SECOND, loss: 0, most: 0 },
    { every: 30 * SECOND, loss: 0, most: 0 },
    { every: 5 * SECOND, loss: 0.02, most: 0.03 },
    { every: 30 * SECOND, loss: 0.02, most: 0.03 },
  ])(
    'with a round every $every ms and $loss of the connections lost: at most $most of them are called intermittent',
    ({ every, loss, most }) => {
      const called = Array.from({ length: SEQUENCES }, (_, index) => {
        const outages = randomOutages(index + 1, every);
        const lost = randomOf(index + 77_778);
        const site = flakyPath(({ at }) => isIn(outages, at) || lost() < loss, { every });
        return courseOf(
          site,
          outages.map(({ ends }) => ends),
          every,
        ).isIntermittent;
      }).filter(Boolean).length;
      // In a small number of sequences, a single one can be chance.
      expect(called).toBeLessThanOrEqual(Math.max(most * SEQUENCES, most === 0 ? 0 : 2));
    },
  );
});

describe('outages, one after the other, with a round every 5 s', () => {
  const seconds = (...times: readonly (readonly [from: number, to: number])[]): readonly Outage[] =>
    times.map(([from, to]) => ({ begins: START + from * SECOND, ends: START + to * SECOND }));
  const TWO = seconds([62, 113], [173, 204]);
  const THREE = seconds([61, 91], [121, 151], [181, 211]);
  const FIVE = seconds([61, 81], [101, 121], [141, 161], [181, 201], [221, 241]);

  test.each<readonly [string, readonly Outage[], readonly PathFault[]]>([
    ['51 s and 31 s, packets dropped', TWO, ['drop', 'drop']],
    ['51 s and 31 s, reset', TWO, ['reset', 'reset']],
    ['three of 30 s, packets dropped', THREE, ['drop', 'drop', 'drop']],
    ['three of 30 s, reset', THREE, ['reset', 'reset', 'reset']],
    ['inspection on, off, on, off', TWO, ['inspection', 'inspection']],
    ['an inspection, and then a shut port', TWO, ['inspection', 'drop']],
    ['a shut port, a reset, an inspection', THREE, ['drop', 'reset', 'inspection']],
    ['five of 20 s', FIVE, FIVE.map(() => 'drop')],
  ])('%s: ready and resolved with the first rounds after each repair', (_, outages, faults) => {
    const site = flakyPath(({ at }) => faults[outages.findIndex((outage) => isIn([outage], at))] ?? false, {
      every: 5 * SECOND,
    });
    const course = courseOf(
      site,
      outages.map(({ ends }) => ends),
      5 * SECOND,
    );
    expect(course.isIntermittent).toBe(false);
    expect(Math.max(...course.readyAfter)).toBeLessThanOrEqual(8 * SECOND);
    expect(Math.max(...course.resolvedAfter)).toBeLessThanOrEqual(13 * SECOND);
    expect(site.line.told.at(-1)).toMatchObject({ event: 'resolved' });
    expect(site.line.told).toHaveLength(2 * outages.length);
  });

  test('a short time in which half of the connections fail, and then an outage: ready 15 s after it', () => {
    const [half] = seconds([60, 80]);
    const [outage] = seconds([80, 1_280]);
    if (half === undefined || outage === undefined) throw new Error('No outage');
    const random = randomOf(3);
    const site = flakyPath(({ at }) => isIn([outage], at) || (isIn([half], at) && random() < 0.5), {
      every: 5 * SECOND,
    });
    const { readyAfter } = courseOf(site, [outage.ends], 5 * SECOND);
    expect(readyAfter[0]).toBeLessThanOrEqual(15 * SECOND);
  });
});

describe('a complaint of FortiAuthenticator', () => {
  /** Simulates two outages, and a connection by FortiAuthenticator at this time. */
  async function complainedAt(at: Millis): Promise<FlakyPath> {
    const world = await applianceWorld('connection');
    const outages = [
      { begins: START + 62 * SECOND, ends: START + 113 * SECOND },
      { begins: START + 173 * SECOND, ends: START + 204 * SECOND },
    ];
    const appliance = { ...world.create(), every: Infinity };
    const site = flakyPath(({ at: now }) => isIn(outages, now), { every: 5 * SECOND, appliance });
    site.run(at);
    appliance.complain(START + at);
    site.run(20 * SECOND);
    return site;
  }

  const causesOf = (site: FlakyPath): readonly string[] => site.last().diagnosis.causes.map(({ id }) => id);

  test('that comes during an outage is explained by it, also afterwards', async () => {
    const site = await complainedAt(190 * SECOND);
    expect(causesOf(site)).toEqual([]);
    site.run(10 * MINUTE);
    expect(
      site.line.told.some((told) => told.kind === 'incident' && told.incident.cause.id === 'polling-failing'),
    ).toBe(false);
  });

  test('that comes after its repair is judged', async () => {
    expect(causesOf(await complainedAt(300 * SECOND))).toEqual(['polling-failing']);
  });
});
