import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../src/engine/model.ts';
import type { Millis } from '../../../src/core/clock.ts';
import { flakyPath, type AnswersAt, type FailsAt, type FlakyPath } from '../../support/network/flaky-path.ts';
import { randomOf } from '../../support/random/random-of.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import { samples } from '../../support/random/samples.ts';

const A = '173.243.138.84';
const B = '173.243.138.85';
const C = '173.243.138.86';
const D = '173.243.138.87';
const V6 = '2001:db8::84';
/** Each seed takes seconds. */
const SEEDS = Array.from({ length: samples(1) }, (_, index) => index + 1);
const DAYS = samples(2);
/** Not a multiple of the interval of 30 s between rounds. */
const TTL = 47 * SECOND;

/** Answers with one address after the other. */
function inTurn(addresses: readonly string[], lasts: Millis): AnswersAt {
  return ({ at }) => {
    const turn = Math.floor((at - START) / lasts) % addresses.length;
    return addresses.slice(turn, turn + 1);
  };
}

function atRandom(addresses: readonly string[], seed: number, count = 1): AnswersAt {
  const random = randomOf(seed);
  return () => addresses.toSorted(() => random() - 0.5).slice(0, count);
}

function half(seed: number, ends = Infinity): FailsAt {
  const random = randomOf(seed);
  return ({ at }) => at < ends && random() < 0.5;
}

/** Returns the events. An increase in severity does not count as a beginning. */
const events = (site: FlakyPath): readonly string[] => site.events().filter((event) => event !== 'changed');

function lastCause(site: FlakyPath): Cause | undefined {
  return site.last().diagnosis.causes[0];
}

describe('a name with several addresses', () => {
  test.each<readonly [string, (seed: number) => AnswersAt]>([
    ['two, for 47 s each', () => inTurn([A, B], TTL)],
    ['two, for 47 minutes each', () => inTurn([A, B], 47 * MINUTE)],
    ['four, for 47 s each', () => inTurn([A, B, C, D], TTL)],
    [
      'eight, another one each round',
      (seed) =>
        atRandom(
          Array.from({ length: 8 }, (__, index) => `192.0.2.${String(index)}`),
          seed,
        ),
    ],
    ['four, two at random each round', (seed) => atRandom([A, B, C, D], seed, 2)],
    ['two, and one of IPv6', (seed) => (look) => [...atRandom([A, B], seed + look.round)(look), V6]],
    ['two at once', () => () => [A, B]],
    ['four at once', () => () => [A, B, C, D]],
    ['one of each family', () => () => [A, V6]],
  ])('%s: half of the flows bad is one incident, one firing, one end, with 95 of 100 seeds', (_, answers) => {
    const right = SEEDS.filter((seed) => {
      const site = flakyPath(half(seed, START + HOUR), { answers: answers(seed) });
      site.run(2 * HOUR);
      const [first] = site.line.told;
      return (
        JSON.stringify(events(site)) === '["firing","resolved"]' &&
        site.opened() === 1 &&
        first !== undefined &&
        first.at - START <= 3 * MINUTE
      );
    });
    expect(SEEDS.length - right.length).toBeLessThanOrEqual(0.05 * SEEDS.length);
  });

  test.each<readonly [string, readonly string[]]>([
    ['two', [A, B]],
    ['four', [A, B, C, D]],
  ])('%s at once: a fifth of the flows bad is one incident, with 95 of 100 seeds', (_, addresses) => {
    const right = SEEDS.filter((seed) => {
      const random = randomOf(seed);
      const site = flakyPath(({ at }) => at < START + HOUR && random() < 0.2, { answers: () => addresses });
      site.run(2 * HOUR);
      return JSON.stringify(events(site)) === '["firing","resolved"]' && site.opened() === 1;
    });
    expect(SEEDS.length - right.length).toBeLessThanOrEqual(0.05 * SEEDS.length);
  });

  test.each<readonly [string, AnswersAt, readonly string[]]>([
    ['one of two', inTurn([A, B], TTL), [A]],
    ['two of four', inTurn([A, B, C, D], TTL), [A, C]],
    ['two of four at random', atRandom([A, B, C, D], 3), [A, C]],
  ])('%s always bad: one incident, told once from their return on, with the addresses', (_, answers, bad) => {
    const ends = START + 2 * HOUR;
    const site = flakyPath(({ at, address }) => at < ends && bad.includes(address), { answers });
    site.run(2 * HOUR);
    expect(lastCause(site)).toMatchObject({ id: 'egress-blocked', severity: 'critical' });
    expect(lastCause(site)?.summary).toMatch(
      new RegExp(`All connections to ${bad.length > 1 ? `(${A}, ${C}|${C}, ${A})` : A} fail, but those to `, 'u'),
    );
    site.run(2 * HOUR);
    expect(site.opened()).toBe(1);
    expect(events(site).at(-1)).toBe('resolved');
    // The first turn of each address is a separate outage, because it is not yet known that the address returns.
    expect(events(site).length).toBeLessThanOrEqual(2 * bad.length + 2);
  });

  describe('of which one is dead, and each round gets the other one', () => {
    const ends = START + 10 * MINUTE;
    const dead = (): FlakyPath => {
      const answers: AnswersAt = ({ round }) => [round % 2 === 0 ? A : B];
      return flakyPath(({ at, address }) => at < ends && address === B, { answers, every: 5 * SECOND });
    };

    // Expected: no connection to A fails and each one to B does, so the first message blames no firewall and no link. A
    // daemon sends the message after half a minute, when 23 of 26 connections have failed.
    test('the first message names it', () => {
      const site = dead();
      site.run(5 * MINUTE);
      const [first] = site.line.told.flatMap((told) => (told.kind === 'incident' ? [told.incident] : []));
      expect(first?.cause.summary).toContain(`All connections to ${B} fail`);
    });

    // Expected: the page is green. A daemon's page shows an intermittent fault instead.
    test('the page is green two minutes after its repair', () => {
      const site = dead();
      site.run(12 * MINUTE);
      expect(site.last().diagnosis.ready).toBe('ready');
    });
  });

  const [GIVES, MOVES] = [START + 10 * MINUTE, START + HOUR];
  test.each<
    readonly [string, before: readonly string[], bad: readonly string[], after: readonly string[], ends: number]
  >([
    ['goes', [A], [A], [B], Infinity],
    ['leaves the others', [B], [A, B], [B], Infinity],
    ['is replaced by another one', [B], [A, B], [B, C], Infinity],
    ['leaves one that it took turns with before', [B], [A, B], [C], Infinity],
    ['is repaired, and the name gives only it from then on', [B], [A, B], [A], MOVES],
    ['is repaired, and the name gives only the other one', [B], [A, B], [B], MOVES],
  ])('a bad address that %s takes its outage with it', (_, ...[before, bad, after, ends]) => {
    const site = flakyPath(({ at, address }) => at >= GIVES && at < ends && address === A, {
      answers: ({ at }) => (at < GIVES ? before : at < MOVES ? bad : after),
    });
    site.run(2 * HOUR);
    expect(events(site)).toEqual(['firing', 'resolved']);
    expect(site.line.told.at(-1)?.at).toBeLessThanOrEqual(MOVES + MINUTE);
  });

  test('an address that has gone out of the answers is not asked any more', () => {
    const moves = START + HOUR;
    const asked: string[] = [];
    const random = randomOf(1);
    const site = flakyPath(
      ({ at, address }) => {
        if (at > moves + MINUTE) asked.push(address);
        return address === A && random() < 0.5;
      },
      { answers: ({ at }) => [at < moves ? A : B] },
    );
    site.run(3 * HOUR);
    expect(new Set(asked)).toEqual(new Set([B]));
    expect(events(site)).toEqual(['firing', 'resolved']);
  });

  test(`blips of 2 % of the connections open nothing in ${String(DAYS)} days`, () => {
    const random = randomOf(5);
    const site = flakyPath(() => random() < 0.02, { answers: inTurn([A, B, C, D], TTL) });
    site.run(DAYS * DAY);
    expect(site.line.transitions).toEqual([]);
  });
});

describe('a name that gives all of its addresses', () => {
  test('two of four always bad are told by address, and the others as clean', () => {
    const site = flakyPath(({ address }) => address === A || address === C, { answers: () => [A, B, C, D] });
    site.run(HOUR);
    expect(events(site)).toEqual(['firing']);
    expect(lastCause(site)).toMatchObject({ id: 'egress-partly-blocked', severity: 'warning' });
    expect(lastCause(site)?.summary).not.toContain('intermittent');
  });

  test('half of the flows to one of two are told of that one', () => {
    const random = randomOf(2);
    const site = flakyPath(({ address }) => address === A && random() < 0.5, { answers: () => [A, B] });
    site.run(HOUR);
    expect(events(site)).toEqual(['firing']);
    expect(lastCause(site)).toMatchObject({ id: 'egress-partly-blocked', severity: 'warning' });
    expect(lastCause(site)?.evidence.join('\n')).toContain(`most recently at ${A}: `);
  });

  test('half of the flows of IPv4 are critical where IPv6 is clean', () => {
    const random = randomOf(2);
    const site = flakyPath(({ address }) => address !== V6 && random() < 0.5, { answers: () => [A, V6] });
    site.run(HOUR);
    expect(events(site)).toEqual(['firing']);
    expect(lastCause(site)).toMatchObject({ id: 'egress-blocked', severity: 'critical' });
  });
});
