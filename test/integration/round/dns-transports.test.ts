import { beforeAll, describe, expect, test } from 'vitest';
import { ADDRESS, HEALTHY, NAME, createDnsBench, onA, over, overHttps } from '../../support/network/dns-bench.ts';
import type { DnsBench } from '../../support/network/dns-bench.ts';
import { reply, SILENCE } from '../../../src/demo/lab/dns-server.ts';

let bench: DnsBench;

beforeAll(async () => {
  bench = await createDnsBench();
});

describe('observeDns over each transport', () => {
  test.each(['udp', 'tcp', 'tls'] as const)('reads both families over %s', async (kind) => {
    await using server = await bench.serve(HEALTHY);
    const seen = await bench.look(over(kind, server));
    expect(seen.a).toMatchObject(ADDRESS);
    expect(seen.aaaa).toMatchObject({ kind: 'answer', addresses: ['2001:db8::84'], ttlSeconds: 60 });
    expect(seen.resolver).toBe(`${kind}://127.0.0.1:${String(kind === 'tls' ? server.tlsPort : server.port)}`);
    expect(server.asked.map(({ transport }) => transport)).toEqual([kind, kind]);
  });

  test('reads both families over https, with id 0', async () => {
    await using server = await bench.serve(HEALTHY);
    const seen = await bench.look(overHttps(server));
    expect(seen.a).toMatchObject(ADDRESS);
    expect(seen.aaaa).toMatchObject({ kind: 'answer', addresses: ['2001:db8::84'] });
    expect(server.asked.map(({ transport, packet }) => [transport, packet.id])).toEqual([
      ['https', 0],
      ['https', 0],
    ]);
  });

  test.each(['h2', 'http/1.1'] as const)('speaks %s where the server speaks nothing else', async (protocol) => {
    await using server = await bench.serve(HEALTHY, { httpProtocols: [protocol] });
    expect((await bench.look(overHttps(server))).a).toMatchObject(ADDRESS);
  });

  test('says with EDNS that 1232 bytes are fine', async () => {
    await using server = await bench.serve(HEALTHY);
    await bench.look(over('udp', server));
    expect(server.asked[0]?.packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
  });

  test('asks again without EDNS where the server answers FORMERR to it', async () => {
    await using server = await bench.serve((asked) =>
      (asked.packet.additionals ?? []).length > 0 ? reply(asked, [], { rcode: 1 }) : HEALTHY(asked),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('repeats the question without EDNS where the server is silent to it', async () => {
    await using server = await bench.serve((asked) =>
      (asked.packet.additionals ?? []).length > 0 ? SILENCE : HEALTHY(asked),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('and then asks without it over TCP too', async () => {
    await using server = await bench.serve((asked) => {
      if ((asked.packet.additionals ?? []).length > 0) return SILENCE;
      return asked.transport === 'udp' ? reply(asked, [], { flags: 0x0200 }) : HEALTHY(asked);
    });
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('is silence where the plain question is not answered either', async () => {
    await using server = await bench.serve(() => SILENCE);
    expect((await bench.look(over('udp', server))).a).toMatchObject({ reason: 'timeout', attempts: 2 });
    expect(server.asked.map(({ packet }) => packet.additionals?.length ?? 0).toSorted((a, b) => a - b)).toEqual([
      0, 0, 1, 1,
    ]);
  });

  test('goes to TCP when the answer over UDP is truncated', async () => {
    await using server = await bench.serve((asked) =>
      asked.transport === 'udp' ? reply(asked, [], { flags: 0x0200 }) : HEALTHY(asked),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject(ADDRESS);
    expect(server.asked.map(({ transport }) => transport).toSorted()).toEqual(['tcp', 'tcp', 'udp', 'udp']);
  });

  test('says that the answer over UDP was truncated when TCP fails', async () => {
    await using server = await bench.serve((asked) =>
      asked.transport === 'udp' ? reply(asked, [], { flags: 0x0200 }) : { kind: 'close' },
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject({
      kind: 'failed',
      reason: 'closed',
      truncated: true,
    });
  });

  test.each(['127.0.0.1', '::1', '173.243.138.84'])('takes the literal address %s as its own answer', async (name) => {
    const seen = await bench.look({ kind: 'udp', label: 'udp://127.0.0.1:1', host: '127.0.0.1', port: 1 }, { name });
    expect([seen.a, seen.aaaa].flatMap((got) => (got.kind === 'answer' ? got.addresses : ['failed']))).toEqual([name]);
  });
});

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
  ])('names rcode %i %s', async (rcode, name) => {
    await using server = await bench.serve((asked) => reply(asked, [], { rcode }));
    expect((await bench.look(over('udp', server))).a).toMatchObject({
      kind: 'answer',
      rcode: name,
      addresses: [],
      ttlSeconds: null,
    });
  });

  test('follows a CNAME chain and keeps the smallest TTL', async () => {
    await using server = await bench.serve(
      onA((asked) =>
        reply(asked, [
          { type: 'A', name: 'b.example.test', class: 'IN', ttl: 500, data: '198.51.100.2' },
          { type: 'CNAME', name: 'a.example.test', class: 'IN', ttl: 20, data: 'b.example.test' },
          { type: 'CNAME', name: 'LICENSE.example.test', class: 'IN', ttl: 700, data: 'a.example.test' },
          { type: 'A', name: 'unrelated.example.test', class: 'IN', ttl: 1, data: '198.51.100.9' },
        ]),
      ),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject({
      addresses: ['198.51.100.2'],
      cnames: ['a.example.test', 'b.example.test'],
      ttlSeconds: 20,
    });
  });

  test('gives up at once on a CNAME loop', async () => {
    await using server = await bench.serve(
      onA((asked) =>
        reply(asked, [
          { type: 'CNAME', name: NAME, class: 'IN', ttl: 20, data: 'a.example.test' },
          { type: 'CNAME', name: 'a.example.test', class: 'IN', ttl: 20, data: NAME },
        ]),
      ),
    );
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({
      kind: 'failed',
      reason: 'protocol',
      message: 'The answer cannot be used: the CNAME chain is too long or circular',
    });
    expect(a.durationMs).toBeLessThan(1500);
  });

  test('gives up on a CNAME chain that is too long', async () => {
    const chain = Array.from({ length: 20 }, (_, index) => ({
      type: 'CNAME' as const,
      name: index === 0 ? NAME : `n${String(index)}.example.test`,
      class: 'IN' as const,
      ttl: 20,
      data: `n${String(index + 1)}.example.test`,
    }));
    await using server = await bench.serve(onA((asked) => reply(asked, chain)));
    expect((await bench.look(over('udp', server))).a).toMatchObject({ kind: 'failed', reason: 'protocol' });
  });
});
