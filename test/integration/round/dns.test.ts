import type { LookupAddress } from 'node:dns';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DnsObservation } from '../../../src/core/observation.ts';
import { reply, SILENCE, type DnsHandler } from '../../support/network/dns-server.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { observeDns } from '../../../src/round/dns.ts';
import { ADDRESS, HEALTHY, NAME, createDnsBench, onA, over } from '../../support/network/dns-bench.ts';
import { probeContext } from '../../support/checks/probe-context.ts';

type Getaddrinfo = NonNullable<Parameters<typeof createSystemLookup>[0]>;

const TRANSPORTS = ['udp', 'tcp', 'tls', 'https'] as const;
const SYSTEM = { kind: 'system', label: 'system' } as const;
const LOOPBACK: Getaddrinfo = async () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

const bench = await createDnsBench();

describe('observeDns over each transport', () => {
  test.each(TRANSPORTS)('reads both families over %s', async (kind) => {
    await using server = await bench.serve(HEALTHY);
    const seen = await bench.look(over(kind, server));
    expect(seen.a).toMatchObject(ADDRESS);
    expect(seen.aaaa).toMatchObject({ kind: 'answer', addresses: ['2001:db8::84'], ttlSeconds: 60 });
    expect(seen.resolver).toBe(over(kind, server).label);
    expect(server.asked.map(({ transport }) => transport)).toEqual([kind, kind]);
    // RFC 8484 §4.1: with id 0, caches recognise equal questions.
    expect(server.asked.map(({ packet }) => packet.id === 0)).toEqual(Array(2).fill(kind === 'https'));
  });

  test.each(['h2', 'http/1.1'] as const)('speaks %s where the server speaks nothing else', async (protocol) => {
    await using server = await bench.serve(HEALTHY, { httpProtocols: [protocol] });
    expect((await bench.look(over('https', server))).a).toMatchObject(ADDRESS);
  });

  test('says with EDNS that 1232 bytes are fine', async () => {
    await using server = await bench.serve(HEALTHY);
    await bench.look(over('udp', server));
    expect(server.asked[0]?.packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
  });

  const truncated: DnsHandler = (asked) => reply(asked, [], { flags: 0x0200 });
  /** Treats questions with EDNS in another way. */
  const withEdns =
    (own: DnsHandler, other: DnsHandler = HEALTHY): DnsHandler =>
    (asked) =>
      ((asked.packet.additionals ?? []).length > 0 ? own : other)(asked);
  const overUdp =
    (own: DnsHandler, other: DnsHandler = HEALTHY): DnsHandler =>
    (asked) =>
      (asked.transport === 'udp' ? own : other)(asked);

  test.each<[string, DnsHandler, object]>([
    ['without EDNS where the server answers FORMERR to it', withEdns((asked) => reply(asked, [], { rcode: 1 })), {}],
    ['without EDNS where the server answers NOTIMP to it', withEdns((asked) => reply(asked, [], { rcode: 4 })), {}],
    ['without EDNS where the server is silent to it', withEdns(() => SILENCE), {}],
    ['over TCP too without it', withEdns(() => SILENCE, overUdp(truncated)), {}],
    ['over TCP when the answer over UDP is truncated', overUdp(truncated), { attempts: 1 }],
  ])('asks again %s', async (_, handler, expected) => {
    await using server = await bench.serve(handler);
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2, ...expected });
  });

  test('is silence where the plain question is not answered either', async () => {
    await using server = await bench.serve(() => SILENCE);
    expect((await bench.look(over('udp', server))).a).toMatchObject({ reason: 'timeout', attempts: 2 });
    const additionals = server.asked.map(({ packet }) => packet.additionals?.length ?? 0);
    expect(additionals.toSorted((a, b) => a - b)).toEqual([0, 0, 1, 1]);
  });

  test('says that the answer over UDP was truncated when TCP fails', async () => {
    await using server = await bench.serve(overUdp(truncated, () => ({ kind: 'close' })));
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'closed', truncated: true });
    expect(server.asked.map(({ transport }) => transport).toSorted()).toEqual(['tcp', 'tcp', 'udp', 'udp']);
  });

  test.each(['127.0.0.1', '::1', '173.243.138.84'])('takes the literal address %s as its own answer', async (name) => {
    const seen = await bench.look({ kind: 'udp', label: 'udp://127.0.0.1:1', host: '127.0.0.1', port: 1 }, { name });
    expect(addressesIn(seen)).toEqual([name]);
  });

  test('leaves from the source address', async () => {
    await using server = await bench.serve(HEALTHY);
    for (const kind of ['udp', 'tcp'] as const) {
      expect((await bench.look(over(kind, server), { ctx: { sourceAddress: '127.0.0.9' } })).a).toMatchObject(ADDRESS);
      const elsewhere = await bench.look(over(kind, server), { ctx: { sourceAddress: '192.0.2.1' } });
      expect(elsewhere.a).toMatchObject({ reason: 'internal' });
    }
  });
});

function addressesIn({ a, aaaa }: DnsObservation): readonly string[] {
  return [a, aaaa].flatMap((got) => (got.kind === 'answer' ? got.addresses : ['failed']));
}

describe('observeDns and what servers answer', () => {
  test.each([
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
    [6, 'YXDOMAIN'],
    [9, 'NOTAUTH'],
    [11, 'DSOTYPENI'],
    [15, 'RCODE15'],
  ])('names rcode %i %s', async (code, rcode) => {
    await using server = await bench.serve((asked) => reply(asked, [], { rcode: code }));
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({ kind: 'answer', rcode, addresses: [], ttlSeconds: null });
  });

  const alias = (name: string, data: string, ttl = 20) => ({ type: 'CNAME', name, class: 'IN', ttl, data }) as const;
  const address = (name: string, ttl: number, data: string) => ({ type: 'A', name, class: 'IN', ttl, data }) as const;

  test('follows a CNAME chain and keeps the smallest TTL', async () => {
    const answers = [
      address('b.example.test', 500, '198.51.100.2'),
      alias('a.example.test', 'b.example.test'),
      alias('LICENSE.example.test', 'a.example.test', 700),
      address('unrelated.example.test', 1, '198.51.100.9'),
    ];
    await using server = await bench.serve(onA((asked) => reply(asked, answers)));
    expect((await bench.look(over('udp', server))).a).toMatchObject({
      addresses: ['198.51.100.2'],
      cnames: ['a.example.test', 'b.example.test'],
      ttlSeconds: 20,
    });
  });

  test.each([
    ['loop', [alias(NAME, 'a.example.test'), alias('a.example.test', NAME)]],
    [
      'chain that is too long',
      Array.from({ length: 20 }, (_, index) =>
        alias(index === 0 ? NAME : `n${String(index)}.example.test`, `n${String(index + 1)}.example.test`),
      ),
    ],
  ])('gives up at once on a CNAME %s', async (_, answers) => {
    await using server = await bench.serve(onA((asked) => reply(asked, answers)));
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'protocol', attempts: 1 });
  });
});

describe('observeDns and the system', () => {
  const found: readonly LookupAddress[] = [
    { address: '2001:db8::84', family: 6 },
    { address: '173.243.138.84', family: 4 },
  ];

  /** Asks the system for several names at once. */
  function ask(lookup: ReturnType<typeof createSystemLookup>, ...names: readonly string[]) {
    const tools = { system: lookup, trust: bench.trust };
    return Promise.all(
      names.map(async (name) => (await observeDns(name, SYSTEM, tools, probeContext({ clock: bench.clock }))).a),
    );
  }

  test('splits what getaddrinfo finds by family', async () => {
    const { a, aaaa } = await bench.look(SYSTEM, { getaddrinfo: async () => Promise.resolve(found) });
    const one = { kind: 'answer', rcode: 'NOERROR', ttlSeconds: null, attempts: 1 };
    expect([a, aaaa]).toMatchObject([
      { ...one, addresses: ['173.243.138.84'] },
      { ...one, addresses: ['2001:db8::84'] },
    ]);
  });

  test('resolves localhost through the real getaddrinfo', async () => {
    const ports = { system: createSystemLookup(), trust: bench.trust };
    expect(addressesIn(await observeDns('localhost', SYSTEM, ports, probeContext()))).toContain('127.0.0.1');
  });

  test.each([
    ['ENOTFOUND', { kind: 'answer', rcode: 'NXDOMAIN', addresses: [] }],
    ['ENODATA', { kind: 'answer', rcode: 'NOERROR', addresses: [] }],
    ['EAI_AGAIN', { kind: 'failed', reason: 'timeout' }],
    ['EAI_FAIL', { kind: 'failed', reason: 'rejected' }],
    ['EAI_MEMORY', { kind: 'failed', reason: 'internal' }],
  ])('translates %s', async (code, expected) => {
    const error = Object.assign(new Error(`getaddrinfo ${code}`), { code });
    expect((await bench.look(SYSTEM, { getaddrinfo: async () => Promise.reject(error) })).a).toMatchObject(expected);
  });

  test('does not wait longer than the deadline, and leaves one lookup behind at most', async () => {
    const asked: string[] = [];
    const lookup = createSystemLookup((name) => {
      asked.push(name);
      return new Promise(() => undefined);
    });
    expect(await ask(lookup, NAME, NAME, NAME)).toMatchObject(Array(3).fill({ kind: 'failed', reason: 'timeout' }));
    expect(asked).toEqual([NAME]);
  });

  test('reports a name behind two slow ones as not asked for, and asks for it in the next round', async () => {
    const asked: string[] = [];
    const lookup = createSystemLookup((name) => {
      asked.push(name);
      return new Promise(() => undefined);
    });
    const seen = await ask(lookup, 'one.example.test', 'two.example.test', 'three.example.test');
    expect(seen).toMatchObject([{ reason: 'timeout' }, { reason: 'timeout' }, { reason: 'internal' }]);
    expect(asked).toEqual(['one.example.test', 'two.example.test']);
  });

  test('asks for a name in the turn of one that has its answer', async () => {
    const answers: (() => void)[] = [];
    const lookup = createSystemLookup(() => new Promise((resolve) => answers.push(() => resolve(found))));
    const looking = ask(lookup, 'one.example.test', 'two.example.test', NAME);
    for (let name = 0; name < 3; name += 1) {
      await setImmediate();
      answers[name]?.();
    }
    expect(await looking).toMatchObject(Array(3).fill({ kind: 'answer' }));
  });

  test('asks again when a lookup that somebody else had started fails', async () => {
    const first = Promise.withResolvers<readonly LookupAddress[]>();
    let lookups = 0;
    const lookup = createSystemLookup(() => ((lookups += 1) > 1 ? Promise.resolve(found) : first.promise));
    lookup(NAME, new AbortController().signal).catch(() => undefined);
    const looking = ask(lookup, NAME);
    await setImmediate();
    first.reject(Object.assign(new Error('old news'), { code: 'EAI_AGAIN' }));
    expect(await looking).toMatchObject([{ kind: 'answer', addresses: ['173.243.138.84'] }]);
  });

  test('finds a resolver that is given by name, and sends that name as SNI', async () => {
    await using server = await bench.serve(HEALTHY);
    for (const kind of ['tls', 'https'] as const) {
      const resolver = over(kind, server, 'dns.example.test');
      expect((await bench.look(resolver, { getaddrinfo: LOOPBACK })).a).toMatchObject(ADDRESS);
      expect((await bench.look(resolver)).a).toMatchObject({
        kind: 'failed',
        reason: 'name-not-resolved',
        message: expect.stringContaining('"dns.example.test"'),
      });
    }
  });
});

describe('observeDns and being called off', () => {
  test.each([...TRANSPORTS, 'system'] as const)('ends at once over %s, as aborted', async (kind) => {
    const controller = new AbortController();
    await using server = await bench.serve(() => {
      controller.abort(new Error('shutting down'));
      return SILENCE;
    });
    const getaddrinfo: Getaddrinfo = () =>
      new Promise(() => {
        controller.abort(new Error('shutting down'));
      });
    const resolver = kind === 'system' ? SYSTEM : over(kind, server);
    const { a } = await bench.look(resolver, { getaddrinfo, ctx: { signal: controller.signal } });
    expect(a).toMatchObject({ kind: 'failed', reason: 'aborted' });
    expect(a.durationMs).toBeLessThan(1000);
  });

  test.each(TRANSPORTS)('asks nothing over %s when it is already called off', async (kind) => {
    await using server = await bench.serve(HEALTHY);
    const { a } = await bench.look(over(kind, server), { ctx: { signal: AbortSignal.abort(new Error('off')) } });
    expect(a).toMatchObject({ reason: 'aborted' });
    expect(server.asked).toEqual([]);
  });
});
