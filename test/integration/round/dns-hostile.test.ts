import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { createSecureContext } from 'node:tls';
import { encode } from 'dns-packet';
import { beforeAll, describe, expect, test } from 'vitest';
import type { createSystemLookup } from '../../../src/network/lookup.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import {
  A,
  ADDRESS,
  HEALTHY,
  NAME,
  createDnsBench,
  onA,
  over,
  overHttps,
  type DnsBench,
} from '../../support/network/dns-bench.ts';
import { SILENCE, reply } from '../../../src/demo/lab/dns-server.ts';

type Getaddrinfo = NonNullable<Parameters<typeof createSystemLookup>[0]>;

let bench: DnsBench;

beforeAll(async () => {
  bench = await createDnsBench();
});

describe('observeDns and hostile or broken peers', () => {
  test('repeats a lost packet once and counts it', async () => {
    let packets = 0;
    await using server = await bench.serve(onA((asked) => ((packets += 1) === 1 ? SILENCE : HEALTHY(asked))));
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('ends under silence, after the deadline, with two packets sent', async () => {
    await using server = await bench.serve(() => SILENCE);
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
      attempts: 2,
      message: 'No answer to the A query within 3000 ms',
    });
    expect(a.durationMs).toBeGreaterThanOrEqual(2900);
    expect(a.durationMs).toBeLessThan(4000);
  });

  test('says at once that the port is refused', async () => {
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    udp.close();
    const seen = await bench.look({ kind: 'udp', label: 'udp', host: '127.0.0.1', port });
    expect(seen.a).toMatchObject({ kind: 'failed', reason: 'refused', attempts: 1 });
    expect(seen.a.durationMs).toBeLessThan(1000);
    const tcp = await bench.look({ kind: 'tcp', label: 'tcp', host: '127.0.0.1', port });
    expect(tcp.a).toMatchObject({ kind: 'failed', reason: 'refused' });
  });

  test('ignores forged packets and believes the genuine one', async () => {
    await using server = await bench.serve(
      onA((asked) => {
        const id = asked.packet.id ?? 0;
        const questions = asked.packet.questions ?? [];
        const lie = [{ ...A, data: '10.6.6.6' }];
        return {
          kind: 'raw',
          bytes: [
            encode({ type: 'response', id: (id + 1) & 0xffff, questions, answers: lie }),
            encode({ type: 'response', id, questions: [{ name: 'other.example.test', type: 'A' }], answers: lie }),
            encode({ type: 'response', id, questions: [{ name: NAME, type: 'AAAA' }], answers: lie }),
            encode({ type: 'response', id, questions: [], answers: lie }),
            encode({ type: 'query', id, questions, answers: lie }),
            Buffer.from('garbage'),
            Buffer.alloc(0),
            encode({ type: 'response', id, questions, answers: [A] }),
          ],
        };
      }),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS });
  });

  test('ignores what another socket sends', async () => {
    const liar = createSocket('udp4');
    await using server = await bench.serve(
      onA((asked) => {
        const lie = reply(asked, [{ ...A, data: '10.6.6.6' }]);
        if (lie.kind === 'packet') liar.send(encode(lie.packet), asked.from.port, asked.from.address);
        return asked.transport === 'udp' && server.asked.filter(({ type }) => type === 'A').length === 1
          ? SILENCE
          : HEALTHY(asked);
      }),
    );
    const { a } = await bench.look(over('udp', server));
    liar.close();
    expect(a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('says that packets came when none of them was an answer', async () => {
    await using server = await bench.serve(() => ({ kind: 'raw', bytes: [Buffer.from('no DNS at all')] }));
    expect((await bench.look(over('udp', server))).a).toMatchObject({
      reason: 'protocol',
      message: 'Received 2 packets that did not answer the query, but no answer',
    });
  });

  test('does not read on under a flood of packets that are no answers', async () => {
    await using server = await bench.serve(() => ({
      kind: 'raw',
      bytes: Array.from({ length: 100 }, () => Buffer.from('flood')),
    }));
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({ reason: 'protocol' });
    expect(a.durationMs).toBeLessThan(1000);
  });

  test.each(['tcp', 'tls'] as const)('bounds a server that trickles its answer over %s', async (kind) => {
    await using server = await bench.serve(() => ({ kind: 'trickle', clock: bench.clock, every: 100 }));
    const { a } = await bench.look(over(kind, server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(a.durationMs).toBeLessThan(4000);
  });

  test('bounds a server that trickles its answer over https', async () => {
    await using server = await bench.serve(() => ({ kind: 'trickle', clock: bench.clock, every: 100 }));
    const { a } = await bench.look(overHttps(server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(a.durationMs).toBeLessThan(4000);
  });

  test.each(['tcp', 'tls'] as const)('says that the server hung up over %s', async (kind) => {
    await using server = await bench.serve(() => ({ kind: 'close' }));
    expect((await bench.look(over(kind, server))).a).toMatchObject({ kind: 'failed', reason: 'closed' });
  });

  test('says that the server hung up over https', async () => {
    await using server = await bench.serve(() => ({ kind: 'close' }));
    expect((await bench.look(overHttps(server))).a).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^(?:closed|reset)$/u),
    });
  });

  test('refuses a certificate that no known authority signed', async () => {
    await using server = await bench.serve(HEALTHY);
    const strange = createSecureContext({ ca: [(await createHierarchy()).root.pem] });
    for (const resolver of [over('tls', server), overHttps(server)]) {
      expect((await bench.look(resolver, { trust: strange })).a).toMatchObject({ kind: 'failed', reason: 'tls' });
    }
    expect(server.asked).toEqual([]);
  });

  test('refuses a certificate for another name', async () => {
    await using server = await bench.serve(HEALTHY);
    const getaddrinfo: Getaddrinfo = async () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect((await bench.look(over('tls', server, 'other.example.test'), { getaddrinfo })).a).toMatchObject({
      kind: 'failed',
      reason: 'tls',
    });
  });

  test.each(['h2', 'http/1.1'] as const)(
    'takes an HTTP error and a page for what they are, over %s',
    async (protocol) => {
      const options = { httpProtocols: [protocol] };
      await using blocked = await bench.serve(
        () => ({ kind: 'http', status: 403, type: 'text/html', body: Buffer.from('<h1>no</h1>') }),
        options,
      );
      expect((await bench.look(overHttps(blocked))).a).toMatchObject({
        reason: 'rejected',
        message: 'The server answered with HTTP status 403, expected 200',
      });
      await using page = await bench.serve(
        () => ({ kind: 'http', status: 200, type: 'text/html', body: Buffer.from('<h1>hello</h1>') }),
        options,
      );
      expect((await bench.look(overHttps(page))).a).toMatchObject({ reason: 'protocol' });
    },
  );

  test.each(['h2', 'http/1.1'] as const)(
    'refuses a body that is larger than a DNS message can be, over %s',
    async (protocol) => {
      await using server = await bench.serve(
        (asked) => {
          const healthy = HEALTHY(asked);
          const answer = healthy.kind === 'packet' ? encode(healthy.packet) : Buffer.alloc(0);
          return {
            kind: 'http',
            status: 200,
            type: 'application/dns-message',
            body: Buffer.concat([answer, Buffer.alloc(200_000)]),
          };
        },
        { httpProtocols: [protocol] },
      );
      expect((await bench.look(overHttps(server))).a).toMatchObject({ kind: 'failed', reason: 'protocol' });
    },
  );
});
