import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import { Agent } from 'undici';
import { describe, expect, test } from 'vitest';
import { systemClock, nextTurn } from '../../../src/system/clock.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { exchangeJson } from '../../../src/network/rest/json-exchange.ts';
import type { SnmpLogin } from '../../../src/network/snmp/login.ts';
import { snmpGet } from '../../../src/network/snmp/snmp-get.ts';
import { failureFrom } from '../../../src/network/failure.ts';
import { postJson } from '../../../src/notify/channels/http-post.ts';
import { dial, TunnelRefused } from '../../../src/network/dial.ts';
import { corpus } from '../../support/security/corpus.ts';
import { actingTexts, mutated, sizeOf } from '../../support/security/fuzz.ts';
import { createTlsBench, IDLE } from '../../support/network/tls-bench.ts';
import { createPeerAtHello, createTcpPeer, createTlsPeer, type Peer } from '../../support/network/tls-peer.ts';
import { DIRECT } from '../../support/checks/message-context.ts';
import { probeContext } from '../../support/checks/probe-context.ts';
import { samples } from '../../support/random/samples.ts';

const HTTP = corpus('http').map(({ bytes }) => bytes);
const SNMP = corpus('snmp').map(({ bytes }) => bytes);
const SNMP_TOKENS = ['\u0030\u0003\u0002\u0001\u0001', '\u0004\u0006public', '\u0002\u0001\u0003'];
const SNMP_LOGINS: readonly SnmpLogin[] = [
  { kind: 'community', community: 'a-secret-community' },
  {
    kind: 'user',
    user: 'monitor',
    authProtocol: 'sha',
    authPassword: 'a-secret-word',
    privProtocol: 'aes',
    privPassword: 'a-secret-word',
  },
];
const HTTP_TOKENS = [
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 99999999\r\n',
  'Content-Length: -1\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'ffffffffffffffff\r\n',
];

/** Sends this answer to every peer that sends something, and closes the connection. */
function answering(answer: () => Buffer): Promise<Peer> {
  return createTcpPeer((socket) => socket.once('data', () => socket.end(answer())));
}

const POSTING = { ...DIRECT, clock: systemClock, readSecret: (): Promise<string> => Promise.reject(new Error('none')) };

describe('an HTTP peer that answers anything', () => {
  test('a receiver of notifications: an outcome, of one harmless line', async () => {
    let sent: Buffer = Buffer.alloc(0);
    await using peer = await answering(() => sent);
    const url = `http://127.0.0.1:${String(peer.port)}/`;
    await fc.assert(
      fc.asyncProperty(mutated(HTTP, HTTP_TOKENS), async (answer) => {
        sent = answer;
        const outcome = await postJson(
          { url, body: {}, authorization: null, secrets: [], caFile: null },
          POSTING,
          AbortSignal.timeout(2_000),
        );
        expect(['sent', 'deferred', 'rejected']).toContain(outcome.kind);
        expect(actingTexts(outcome)).toEqual([]);
        expect(outcome.detail.length).toBeLessThanOrEqual(300);
      }),
      { numRuns: samples(16) },
    );
  });

  test('an API: JSON, a status or an error that has a reason', async () => {
    let sent: Buffer = Buffer.alloc(0);
    await using peer = await answering(() => sent);
    const agent = new Agent({ pipelining: 0 });
    const { signal } = new AbortController();
    await fc.assert(
      fc.asyncProperty(mutated(HTTP, HTTP_TOKENS), async (answer) => {
        sent = answer;
        const request = { method: 'GET', path: '/', headers: {}, withoutSecrets: String } as const;
        const reply = await exchangeJson(agent, `http://127.0.0.1:${String(peer.port)}`, request, {
          clock: systemClock,
          signal,
          ownTurn: nextTurn,
        }).catch((error: unknown) => failureFrom(error, 0, signal));
        expect(['json', 'status', 'failed']).toContain(reply.kind);
        // The caller judges the content of an API response. An error is shown as it is.
        expect(actingTexts(reply.kind === 'failed' ? reply : null)).toEqual([]);
      }),
      { numRuns: samples(16) },
    );
    await agent.destroy();
  });

  test('a proxy: a tunnel or an error that has a reason', async () => {
    let sent: Buffer = Buffer.alloc(0);
    await using peer = await answering(() => sent);
    const dialling = {
      target: { host: 'license.example.test', port: 443 },
      address: '',
      proxy: { host: '127.0.0.1', port: peer.port, user: null, password: null },
      readSecret: () => Promise.resolve(''),
      system: createSystemLookup(),
      limit: 2_000,
      tunnelLimit: 2_000,
    };
    await fc.assert(
      fc.asyncProperty(mutated(HTTP, HTTP_TOKENS), async (answer) => {
        sent = answer;
        const ctx = probeContext();
        const outcome = await dial(dialling, ctx).then(
          (socket) => void socket.destroy(),
          (error: unknown) => [failureFrom(error, 0, ctx.signal), error instanceof TunnelRefused ? error.answer : null],
        );
        expect(actingTexts(outcome)).toEqual([]);
      }),
      { numRuns: samples(16) },
    );
  });

  test('that redirects is not followed', async () => {
    await using target = await answering(() => Buffer.alloc(0));
    const location = `Location: http://127.0.0.1:${String(target.port)}/`;
    await using peer = await answering(() =>
      Buffer.from(`HTTP/1.1 307 Temporary Redirect\r\n${location}\r\nContent-Length: 0\r\n\r\n`),
    );
    const signal = AbortSignal.timeout(2_000);
    const agent = new Agent({ pipelining: 0 });
    const origin = `http://127.0.0.1:${String(peer.port)}`;

    const posted = await postJson(
      { url: origin, body: {}, authorization: 'Bearer x', secrets: ['x'], caFile: null },
      POSTING,
      signal,
    );
    const read = await exchangeJson(
      agent,
      origin,
      { method: 'GET', path: '/', headers: {}, withoutSecrets: String },
      { clock: systemClock, signal, ownTurn: nextTurn },
    );
    await agent.destroy();

    expect(posted.detail).toBe('HTTP 307');
    expect(read).toMatchObject({ kind: 'status', status: 307 });
    expect([peer.seen, target.seen]).toEqual([2, 0]);
  });
});

describe('a TLS peer that answers anything', () => {
  test('after the handshake: a response or a failure, harmless and in time', async () => {
    const bench = await createTlsBench();
    let answer: Buffer = Buffer.alloc(0);
    await using peer = await createTlsPeer({
      chain: [bench.hierarchy.leaf, bench.hierarchy.intermediate],
      serve: (socket) => {
        socket.once('data', () => socket.end(answer));
      },
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constantFrom(...HTTP), mutated(HTTP, HTTP_TOKENS)), async (bytes) => {
        answer = bytes;
        const http = await bench.http(peer.port, { ctx: IDLE });
        expect(['response', 'failed', 'client-certificate-demanded']).toContain(http.kind);
        expect(actingTexts(http)).toEqual([]);
        expect(sizeOf(http)).toBeLessThan(8_192);
      }),
      { numRuns: samples(12), examples: HTTP.map((bytes): [Buffer] => [bytes]) },
    );
  });

  test('in place of the handshake: a failure, harmless', async () => {
    const bench = await createTlsBench();
    const seeds = [...corpus('plain-answer'), ...corpus('der')].map(({ bytes }) => bytes);
    let answer: Buffer = Buffer.alloc(0);
    await using peer = await createPeerAtHello((socket) => socket.end(answer));
    await fc.assert(
      fc.asyncProperty(mutated(seeds, ['\u0015\u0003\u0003\0\u0002', '\u0016\u0003\u0003\0']), async (bytes) => {
        answer = bytes;
        const tls = await bench.tls(peer.port, { ctx: IDLE });
        expect(tls.kind).toBe('failed');
        expect(actingTexts(tls)).toEqual([]);
        expect(sizeOf(tls)).toBeLessThan(8_192);
      }),
      { numRuns: samples(12) },
    );
  });
});

describe('an SNMP agent that answers anything', () => {
  test('values or an error, and nothing that nobody catches', async () => {
    let answer: Buffer = Buffer.alloc(0);
    const agent = createSocket('udp4');
    agent.on('message', (_, { port, address }) => {
      agent.send(answer, port, address);
    });
    agent.bind(0, '127.0.0.1');
    await once(agent, 'listening');
    const target = { host: '127.0.0.1', port: agent.address().port };
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SNMP_LOGINS), mutated(SNMP, SNMP_TOKENS), async (login, bytes) => {
        answer = Buffer.from(bytes.subarray(0, 1_400));
        const signal = AbortSignal.timeout(15);
        const outcome = await snmpGet(target, login, ['1.3.6.1.2.1.1.1.0'], { signal }).catch((error: unknown) =>
          failureFrom(error, 0, new AbortController().signal),
        );
        expect(JSON.stringify(outcome)).not.toContain('a-secret');
      }),
      { numRuns: samples(20) },
    );
    agent.close();
  });
});
