import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { OutsideKind } from '../../../src/core/outside.ts';
import { OutsideWitness } from '../../../src/runtime/outside-witness.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { jsonFile } from '../../../src/system/json-file.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { createGlobalping, presents, reaches, resolves } from '../../support/network/globalping.ts';
import { type HandClock, handClock } from '../../support/time/hand-clock.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import { until } from '../../support/time/until.ts';

const TARGET = { host: 'fortitokenmobile.fortinet.com', port: 443 };
const api = await createGlobalping();
afterAll(() => api[Symbol.asyncDispose]());

const leaf = presents({ fingerprint: Array(32).fill('AB').join(':'), issuer: 'fortinet-subca2001' });
beforeEach(() => {
  api.answer(null);
  api.seen({
    http: [leaf, leaf, leaf],
    ping: [reaches(3), reaches(3), reaches(3)],
    dns: Array(3).fill(resolves('192.0.2.1')),
  });
});

interface Bench {
  readonly clock: HandClock;
  /** Starts anew, with what an earlier witness remembered. */
  readonly restart: () => Promise<void>;
  readonly witness: () => OutsideWitness;
  /** Ends a round, and resolves with the types that were asked for when they have answered. */
  readonly round: (wishes: readonly OutsideKind[], isReached?: boolean) => Promise<readonly string[]>;
}

/** @param disk how long it takes to write the file for the nth time */
async function createBench(disk: (nth: number) => number = () => 0): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'outside-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = jsonFile(join(folder, 'outside.json'));
  const hand = handClock(Date.UTC(2026, 11, 1, 10));
  /** Pauses between two requests pass at once. */
  const clock: Clock = {
    ...hand,
    after: (delay, callback) => (delay <= SECOND ? systemClock.after(0, callback) : hand.after(delay, callback)),
  };
  let [saves, saving] = [0, 0];
  const start = async (): Promise<OutsideWitness> => {
    const loaded = Promise.withResolvers<void>();
    const started = new OutsideWitness({ countries: ['DE'], probes: 3, token: null, url: api.url }, TARGET, {
      ...connectorContext({ clock }),
      proxy: null,
      readSecret: () => Promise.reject(new Error('no secret')),
      file: {
        load: async () => {
          const value = await file.load();
          setImmediate(loaded.resolve);
          return value;
        },
        save: async (value) => {
          saving += 1;
          await setTimeout(disk((saves += 1)));
          await file.save(value);
          saving -= 1;
        },
      },
    });
    await loaded.promise;
    return started;
  };
  let witness = await start();
  return {
    clock: hand,
    restart: async () => {
      witness = await start();
    },
    witness: () => witness,
    round: async (wishes, isReached = false) => {
      const before = api.requests.length;
      const late = witness.ask(wishes, isReached, new AbortController().signal);
      await until(
        async () => {
          await setTimeout(0);
          return saving + hand.timers();
        },
        (busy) => busy === 0,
        5 * SECOND,
      );
      await Promise.all(late);
      return api.requests.slice(before).map(({ type }) => type);
    },
  };
}

describe('OutsideWitness', () => {
  test('asks for a kind once in 15 minutes, and shows the result for 20', async () => {
    const { clock, round, witness } = await createBench();
    expect(witness().view()).toBeNull();
    expect((await round(['reach', 'certificate'])).toSorted()).toEqual(['http', 'ping']);
    const asked = clock.now();
    expect(witness().view()).toMatchObject({ reach: { at: asked }, certificate: { at: asked }, addresses: null });
    clock.advance(15 * MINUTE - 1);
    expect(await round(['reach', 'addresses'])).toEqual(['dns']);
    api.answer((_, response) => response.writeHead(500).end());
    clock.advance(1);
    await round(['reach']);
    clock.advance(5 * MINUTE - 1);
    expect(witness().view()).toMatchObject({ reach: { at: asked }, trouble: expect.stringContaining('500') });
    clock.advance(1);
    expect(witness().view()).toMatchObject({ reach: null });
  });

  test('asks once for each kind, however often the program is started during a fault', async () => {
    const { clock, restart, round } = await createBench();
    const asked: string[] = [];
    for (let start = 0; start < 100; start += 1) {
      asked.push(...(await round(['reach', 'certificate', 'addresses'])));
      clock.advance(5 * SECOND);
      await restart();
    }
    expect(asked.toSorted()).toEqual(['dns', 'http', 'ping']);
  });

  test('remembers everything that it asked, also if the disk is slow', async () => {
    const { restart, round } = await createBench((nth) => (nth === 1 ? 200 : 0));
    expect(await round(['reach', 'certificate', 'addresses'])).toHaveLength(3);
    await restart();
    expect(await round(['reach', 'certificate', 'addresses'])).toEqual([]);
  });

  test('tries once a day what a later failure is compared with, while nothing is wrong', async () => {
    const { clock, restart, round, witness } = await createBench();
    expect(await round([], false)).toEqual([]);
    expect(await round([], true)).toEqual(['ping']);
    const reachedAt = clock.now();
    clock.advance(DAY - 1);
    await restart();
    expect(await round([], true)).toEqual([]);
    clock.advance(1);
    expect(await round(['certificate'], true)).toEqual(['http']);
    expect(witness().view()).toMatchObject({ reachedAt });
    expect(await round([], true)).toEqual(['ping']);
    await round(['addresses']);
    expect(witness().view()).toMatchObject({ reachedAt: clock.now() });
  });

  test('takes nothing as proof that fewer than three networks reach, or that was measured during a fault', async () => {
    const { clock, round, witness } = await createBench();
    api.seen({ ping: [reaches(3), reaches(3), reaches(0)] });
    await round([], true);
    api.seen({ ping: [reaches(3), reaches(3), reaches(3)] });
    clock.advance(HOUR);
    await round(['reach']);
    expect(witness().view()).toMatchObject({ reach: {}, reachedAt: null });
  });

  test('uses nothing that was asked for before the suspicion began', async () => {
    const { clock, round, witness } = await createBench();
    await round([], true);
    clock.advance(MINUTE);
    expect(await round(['reach'])).toEqual([]);
    expect(witness().view()).toBeNull();
    clock.advance(14 * MINUTE);
    expect(await round(['reach'])).toEqual(['ping']);
    expect(witness().view()).toMatchObject({ reach: { at: clock.now() } });
    await round([]);
    expect(witness().view()).toBeNull();
    clock.advance(MINUTE);
    expect(await round(['reach'])).toEqual([]);
    expect(witness().view()).toBeNull();
  });

  test.each([
    ['429 with the time to wait', 429, { 'retry-after': '1200' }, 20 * MINUTE],
    ['429 with a whole day', 429, { 'retry-after': '86400' }, HOUR],
    ['429 without a time', 429, {}, 15 * MINUTE],
    ['an outage', 503, {}, 15 * MINUTE],
  ])('asks for nothing after %s until the time has passed', async (_, status, headers, pause) => {
    const { clock, restart, round, witness } = await createBench();
    api.answer((_request, response) => response.writeHead(status, headers).end());
    await round(['reach']);
    expect(witness().view()).toMatchObject({ reach: null, trouble: expect.stringContaining(String(status)) });
    api.answer(null);
    clock.advance(pause - 1);
    expect(await round(['certificate'])).toEqual([]);
    await restart();
    expect(await round(['certificate'])).toEqual([]);
    clock.advance(1);
    expect(await round(['certificate'])).toEqual(['http']);
    expect(witness().view()).toMatchObject({ certificate: {}, trouble: null });
  });

  test('does not wait for a time that only a wrong clock makes late', async () => {
    const { clock, round } = await createBench();
    api.answer((_request, response) => response.writeHead(503).end());
    await round(['reach']);
    api.answer(null);
    clock.step(-2 * HOUR);
    expect(await round(['reach'])).toEqual(['ping']);
  });

  test('ends at once when the program is stopped, and remembers that it asked', async () => {
    const { restart, round, witness } = await createBench();
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    api.answer(() => resolve());
    const stopping = new AbortController();
    const asked = witness().ask(['reach'], false, stopping.signal);
    await arrived;
    expect(witness().view()).toMatchObject({ asking: ['reach'] });
    stopping.abort();
    await Promise.all(asked);
    expect(witness().view()).toBeNull();
    api.answer(null);
    await restart();
    expect(await round(['reach'])).toEqual([]);
  });
});
