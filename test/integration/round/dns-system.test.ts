import type { LookupAddress } from 'node:dns';
import { setImmediate } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ResolverConfig } from '../../../src/config/schema/secret.ts';
import type { ProbeContext } from '../../../src/network/context.ts';
import { observeDns } from '../../../src/round/dns.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import {
  ADDRESS,
  HEALTHY,
  NAME,
  createDnsBench,
  over,
  overHttps,
  type DnsBench,
} from '../../support/network/dns-bench.ts';
import { SILENCE } from '../../../src/demo/lab/dns-server.ts';
import { probeContext } from '../../support/checks/probe-context.ts';

type Getaddrinfo = NonNullable<Parameters<typeof createSystemLookup>[0]>;

let bench: DnsBench;

beforeAll(async () => {
  bench = await createDnsBench();
});

describe('observeDns and the system', () => {
  const found: readonly LookupAddress[] = [
    { address: '2001:db8::84', family: 6 },
    { address: '173.243.138.84', family: 4 },
  ];
  const system: ResolverConfig = { kind: 'system', label: 'system' };

  test('splits what getaddrinfo finds by family', async () => {
    const seen = await bench.look(system, { getaddrinfo: async () => Promise.resolve(found) });
    expect(seen.a).toMatchObject({
      kind: 'answer',
      rcode: 'NOERROR',
      addresses: ['173.243.138.84'],
      ttlSeconds: null,
      attempts: 1,
    });
    expect(seen.aaaa).toMatchObject({ kind: 'answer', addresses: ['2001:db8::84'] });
  });

  test('resolves localhost through the real getaddrinfo', async () => {
    const ports = { system: createSystemLookup(), trust: bench.trust };
    const seen = await observeDns('localhost', system, ports, probeContext());
    expect([seen.a, seen.aaaa].flatMap((got) => (got.kind === 'answer' ? got.addresses : []))).toContain('127.0.0.1');
  });

  test.each([
    ['ENOTFOUND', { kind: 'answer', rcode: 'NXDOMAIN', addresses: [] }],
    ['ENODATA', { kind: 'answer', rcode: 'NOERROR', addresses: [] }],
    ['EAI_AGAIN', { kind: 'failed', reason: 'timeout' }],
    ['EAI_FAIL', { kind: 'failed', reason: 'rejected' }],
    ['EAI_MEMORY', { kind: 'failed', reason: 'internal' }],
  ])('translates %s', async (code, expected) => {
    const error = Object.assign(new Error(`getaddrinfo ${code}`), { code });
    expect((await bench.look(system, { getaddrinfo: async () => Promise.reject(error) })).a).toMatchObject(expected);
  });

  test('does not wait longer than the deadline, and leaves one lookup behind at most', async () => {
    let lookups = 0;
    const lookup = createSystemLookup(
      () =>
        new Promise(() => {
          lookups += 1;
        }),
    );
    const seen = await Promise.all(
      [1, 2, 3].map(() =>
        observeDns(NAME, system, { system: lookup, trust: bench.trust }, probeContext({ clock: bench.clock })),
      ),
    );
    expect(seen.map(({ a }) => a)).toMatchObject(
      Array.from({ length: 3 }, () => ({ kind: 'failed', reason: 'timeout' })),
    );
    expect(lookups).toBe(1);
  });

  test('reports a name behind two slow ones as not asked for, and asks for it in the next round', async () => {
    const asked: string[] = [];
    const lookup = createSystemLookup((name) => {
      asked.push(name);
      return new Promise(() => undefined);
    });
    const ctx = (): ProbeContext => probeContext({ clock: bench.clock });
    const names = ['one.example.test', 'two.example.test', 'three.example.test'];
    const seen = await Promise.all(
      names.map((name) => observeDns(name, system, { system: lookup, trust: bench.trust }, ctx())),
    );
    expect(seen.map(({ a }) => a)).toMatchObject([
      { reason: 'timeout' },
      { reason: 'timeout' },
      { reason: 'internal' },
    ]);
    expect(asked).toEqual(['one.example.test', 'two.example.test']);
  });

  test('asks for a name in the turn of one that has its answer', async () => {
    const answers: (() => void)[] = [];
    const lookup = createSystemLookup(
      () =>
        new Promise((resolve) => {
          answers.push(() => {
            resolve(found);
          });
        }),
    );
    const names = ['one.example.test', 'two.example.test', NAME];
    const looking = names.map((name) =>
      observeDns(name, system, { system: lookup, trust: bench.trust }, probeContext()),
    );
    for (let name = 0; name < names.length; name += 1) {
      await setImmediate();
      answers[name]?.();
    }
    for (const { a } of await Promise.all(looking)) expect(a).toMatchObject({ kind: 'answer' });
  });

  test('asks again when a lookup that somebody else had started fails', async () => {
    let lookups = 0;
    let fail = (): void => {};
    const lookup = createSystemLookup(() => {
      lookups += 1;
      if (lookups > 1) return Promise.resolve(found);
      return new Promise((_, reject) => {
        fail = () => {
          reject(Object.assign(new Error('old news'), { code: 'EAI_AGAIN' }));
        };
      });
    });
    lookup(NAME, new AbortController().signal).catch(() => undefined);
    const looking = observeDns(NAME, system, { system: lookup, trust: bench.trust }, probeContext());
    await setImmediate();
    fail();
    expect((await looking).a).toMatchObject({ kind: 'answer', addresses: ['173.243.138.84'] });
  });

  test('finds a resolver that is given by name, and sends that name as SNI', async () => {
    await using server = await bench.serve(HEALTHY);
    const getaddrinfo: Getaddrinfo = async () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect((await bench.look(over('tls', server, 'dns.example.test'), { getaddrinfo })).a).toMatchObject(ADDRESS);
    expect((await bench.look(overHttps(server, 'dns.example.test'), { getaddrinfo })).a).toMatchObject(ADDRESS);
  });

  test('says so when the resolver itself cannot be found', async () => {
    await using server = await bench.serve(HEALTHY);
    expect((await bench.look(over('tls', server, 'dns.example.test'))).a).toMatchObject({
      kind: 'failed',
      reason: 'name-not-resolved',
      message: 'The system resolver cannot resolve the server name "dns.example.test": getaddrinfo ENOTFOUND',
    });
  });
});

describe('observeDns and being called off', () => {
  test.each(['udp', 'tcp', 'tls', 'https', 'system'] as const)('ends at once over %s, as aborted', async (kind) => {
    const controller = new AbortController();
    await using server = await bench.serve(() => {
      controller.abort(new Error('shutting down'));
      return SILENCE;
    });
    const resolver =
      kind === 'system' ? ({ kind, label: kind } as const) : kind === 'https' ? overHttps(server) : over(kind, server);
    const getaddrinfo: Getaddrinfo = () =>
      new Promise(() => {
        controller.abort(new Error('shutting down'));
      });
    const { a } = await bench.look(resolver, { getaddrinfo, ctx: { signal: controller.signal } });
    expect(a).toMatchObject({ kind: 'failed', reason: 'aborted' });
    expect(a.durationMs).toBeLessThan(1000);
  });

  test('asks nothing when it is already called off', async () => {
    await using server = await bench.serve(HEALTHY);
    for (const resolver of [over('udp', server), over('tcp', server), over('tls', server), overHttps(server)]) {
      expect((await bench.look(resolver, { ctx: { signal: AbortSignal.abort(new Error('off')) } })).a).toMatchObject({
        reason: 'aborted',
      });
    }
    expect(server.asked).toEqual([]);
  });

  test('leaves from the source address', async () => {
    await using server = await bench.serve(HEALTHY);
    for (const kind of ['udp', 'tcp'] as const) {
      expect((await bench.look(over(kind, server), { ctx: { sourceAddress: '127.0.0.9' } })).a).toMatchObject(ADDRESS);
      expect((await bench.look(over(kind, server), { ctx: { sourceAddress: '192.0.2.1' } })).a).toMatchObject({
        reason: 'internal',
      });
    }
  });
});
