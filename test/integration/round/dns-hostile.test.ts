import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { createSecureContext } from 'node:tls';
import { encode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { SILENCE, reply, type DnsHandler } from '../../support/network/dns-server.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { A, ADDRESS, HEALTHY, NAME, createDnsBench, onA, over } from '../../support/network/dns-bench.ts';

const bench = await createDnsBench();
const STREAMS = ['tcp', 'tls', 'https'] as const;
const PROTOCOLS = ['h2', 'http/1.1'] as const;

describe('observeDns and hostile or broken peers', () => {
  test('repeats a lost packet once and counts it', async () => {
    let packets = 0;
    await using server = await bench.serve(onA((asked) => ((packets += 1) === 1 ? SILENCE : HEALTHY(asked))));
    expect((await bench.look(over('udp', server))).a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test('ends under silence, after the deadline, with two packets sent', async () => {
    await using server = await bench.serve(() => SILENCE);
    const { a } = await bench.look(over('udp', server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'timeout', attempts: 2 });
    expect(a).toHaveProperty('message', expect.stringContaining('3000 ms'));
    expect(a.durationMs).toBeGreaterThanOrEqual(2900);
    expect(a.durationMs).toBeLessThan(4000);
  });

  test('says at once that the port is refused', async () => {
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const { port } = udp.address();
    udp.close();
    for (const kind of ['udp', 'tcp'] as const) {
      const { a } = await bench.look({ kind, label: kind, host: '127.0.0.1', port });
      expect(a).toMatchObject({ kind: 'failed', reason: 'refused', attempts: 1 });
      expect(a.durationMs).toBeLessThan(1000);
    }
  });

  test('ignores forged packets and believes the genuine one', async () => {
    await using server = await bench.serve(
      onA((asked) => {
        const id = asked.packet.id ?? 0;
        const questions = asked.packet.questions ?? [];
        const lie = { type: 'response' as const, id, questions, answers: [{ ...A, data: '10.6.6.6' }] };
        const packets = [
          { ...lie, id: (id + 1) & 0xffff },
          { ...lie, questions: [{ name: 'other.example.test', type: 'A' as const }] },
          { ...lie, questions: [{ name: NAME, type: 'AAAA' as const }] },
          { ...lie, questions: [] },
          { ...lie, type: 'query' as const },
          { ...lie, answers: [A] },
        ].map((packet) => encode(packet));
        return { kind: 'raw', bytes: [Buffer.from('garbage'), Buffer.alloc(0), ...packets] };
      }),
    );
    expect((await bench.look(over('udp', server))).a).toMatchObject(ADDRESS);
  });

  test('ignores what another socket sends', async () => {
    const liar = createSocket('udp4');
    await using server = await bench.serve(
      onA((asked) => {
        const lie = reply(asked, [{ ...A, data: '10.6.6.6' }]);
        if (lie.kind === 'packet') liar.send(encode(lie.packet), asked.from.port, asked.from.address);
        const isFirst = server.asked.filter(({ type }) => type === 'A').length === 1;
        return asked.transport === 'udp' && isFirst ? SILENCE : HEALTHY(asked);
      }),
    );
    const { a } = await bench.look(over('udp', server));
    liar.close();
    expect(a).toMatchObject({ ...ADDRESS, attempts: 2 });
  });

  test.each([1, 100])(
    'says that packets came when none of them was an answer, and reads no flood: %i',
    async (count) => {
      const bytes = Array.from({ length: count }, () => Buffer.from('no DNS at all'));
      await using server = await bench.serve(() => ({ kind: 'raw', bytes }));
      const { a } = await bench.look(over('udp', server));
      expect(a).toMatchObject({ kind: 'failed', reason: 'protocol' });
      expect(a.durationMs).toBeLessThan(count > 1 ? 1000 : 4000);
    },
  );

  test.each(STREAMS)('bounds a server that trickles its answer over %s', async (kind) => {
    await using server = await bench.serve(() => ({ kind: 'trickle', clock: bench.clock, every: 100 }));
    const { a } = await bench.look(over(kind, server));
    expect(a).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(a.durationMs).toBeLessThan(4000);
  });

  test.each(STREAMS)('says that the server hung up over %s', async (kind) => {
    await using server = await bench.serve(() => ({ kind: 'close' }));
    const reason = kind === 'https' ? /^(?:closed|reset)$/u : /^closed$/u;
    const { a } = await bench.look(over(kind, server));
    expect(a).toMatchObject({ kind: 'failed', reason: expect.stringMatching(reason) });
  });

  test('refuses a certificate that no known authority signed, and one for another name', async () => {
    await using server = await bench.serve(HEALTHY);
    const strange = createSecureContext({ ca: [(await createHierarchy()).root.pem] });
    const refused = { kind: 'failed', reason: 'tls' };
    for (const kind of ['tls', 'https'] as const)
      expect((await bench.look(over(kind, server), { trust: strange })).a).toMatchObject(refused);
    const other = await bench.look(over('tls', server, 'other.example.test'), {
      getaddrinfo: async () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    });
    expect(other.a).toMatchObject(refused);
    expect(server.asked).toEqual([]);
  });

  /** A healthy answer that is larger than a DNS message can be. */
  const large: DnsHandler = (asked) => {
    const healthy = HEALTHY(asked);
    const answer = healthy.kind === 'packet' ? encode(healthy.packet) : Buffer.alloc(0);
    const body = Buffer.concat([answer, Buffer.alloc(200_000)]);
    return { kind: 'http', status: 200, type: 'application/dns-message', body };
  };
  const page = (status: number): DnsHandler => {
    return () => ({ kind: 'http', status, type: 'text/html', body: Buffer.from('<h1>no</h1>') });
  };

  test.each(
    PROTOCOLS.flatMap((protocol) => [
      ['an HTTP error', protocol, page(403), { reason: 'rejected', message: expect.stringContaining('403') }] as const,
      ['a page', protocol, page(200), { reason: 'protocol' }] as const,
      ['a large body', protocol, large, { reason: 'protocol' }] as const,
    ]),
  )('takes %s for what it is, over %s', async (_, protocol, handler, expected) => {
    await using server = await bench.serve(handler, { httpProtocols: [protocol] });
    expect((await bench.look(over('https', server))).a).toMatchObject({ kind: 'failed', ...expected });
  });
});
