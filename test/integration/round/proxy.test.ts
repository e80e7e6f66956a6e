import { setImmediate } from 'node:timers/promises';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { ProxyConfig } from '../../../src/config/schema/secret.ts';
import type { EndpointObservation, ProxyAnswer } from '../../../src/core/observation.ts';
import { createConnectProxy } from '../../support/network/http-proxy.ts';
import { createTlsBench, HOST, IDLE, type Look } from '../../support/network/tls-bench.ts';
import { createPeerAtHello, createTlsPeer } from '../../support/network/tls-peer.ts';

const bench = await createTlsBench();

function proxyAt(port: number, more: Partial<ProxyConfig> = {}): ProxyConfig {
  return { host: '127.0.0.1', port, user: null, password: null, ...more };
}

/** Checks through a proxy that calls `act` when the CONNECT has arrived. */
async function atConnect(act: (socket: Socket) => unknown, look: Look = {}): Promise<EndpointObservation> {
  await using peer = await createPeerAtHello((socket) => {
    act(socket);
  });
  const seen = await bench.look(443, { address: HOST, proxy: proxyAt(peer.port), ...look });
  expect(seen).toMatchObject({ tls: null, http: null, proxy: `127.0.0.1:${String(peer.port)}` });
  expect(peer.seen).toBe(1);
  while (peer.open > 0) await setImmediate();
  return seen;
}

const SERVE = (socket: TLSSocket): void => {
  socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
};

describe.concurrent('observeEndpoint through a CONNECT proxy', () => {
  test('tunnels by name and captures what is behind', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    const requests: string[] = [];
    const serve = (socket: TLSSocket): void => {
      socket.once('data', (data: Buffer) => requests.push(data.toString('latin1')));
      SERVE(socket);
    };
    await using server = await createTlsPeer({ chain: [leaf, intermediate], serve });
    await using proxy = await createConnectProxy(server.port);
    const seen = await bench.look(443, { address: HOST, proxy: proxyAt(proxy.port, { host: 'localhost' }) });
    expect(seen).toMatchObject({
      proxy: `localhost:${String(proxy.port)}`,
      tcp: { kind: 'open' },
      tls: {
        kind: 'established',
        chain: { certificates: [{ fingerprint: leaf.fingerprint }, { fingerprint: intermediate.fingerprint }] },
      },
      http: { kind: 'response', status: 200 },
    });
    expect(proxy.asked).toEqual([
      expect.stringMatching(/^CONNECT license\.example\.test:443 HTTP\/1\.1\r\nhost: license\.example\.test:443\r\n/u),
    ]);
    expect(proxy.asked[0]).not.toMatch(/proxy-authorization/iu);
    // The default port of HTTPS is omitted (RFC 9110 §7.2).
    expect(requests).toEqual([expect.stringContaining('\r\nhost: license.example.test\r\n')]);
  });

  test('logs in with the password as it is now, and shows it nowhere', async () => {
    await using server = await createTlsPeer({ chain: [bench.hierarchy.leaf] });
    await using proxy = await createConnectProxy(
      server.port,
      'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n',
    );
    const seen = await bench.look(443, {
      proxy: proxyAt(proxy.port, { user: 'fac', password: { kind: 'env', name: 'PROXY_PASSWORD' } }),
      deps: { readSecret: (source) => Promise.resolve(source.kind === 'env' ? `s3cret:${source.name}` : '') },
    });
    const token = Buffer.from('fac:s3cret:PROXY_PASSWORD').toString('base64');
    expect(proxy.asked[0]).toContain(`proxy-authorization: Basic ${token}\r\n`);
    expect(seen.tcp).toMatchObject({
      kind: 'failed',
      reason: 'rejected',
      message: expect.stringContaining('with status 407'),
    });
    expect(JSON.stringify(seen)).not.toMatch(new RegExp(`s3cret|${token}`, 'u'));
  });

  test('takes a password that cannot be read for trouble of its own', async () => {
    const seen = await bench.look(443, {
      proxy: proxyAt(1, { user: 'fac', password: { kind: 'file', path: '/nowhere' } }),
    });
    expect(seen.tcp).toMatchObject({ kind: 'failed', reason: 'internal' });
  });

  test('keeps what the server sent together with the answer of the proxy', async () => {
    await using peer = await createPeerAtHello((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n220 mail.example.test ESMTP\r\n');
    });
    const seen = await bench.look(443, { proxy: proxyAt(peer.port) });
    expect(seen).toMatchObject({
      tcp: { kind: 'open' },
      tls: { kind: 'failed', plaintext: '220 mail.example.test ESMTP' },
    });
  });

  test.each([
    ['403 Forbidden', 'with status 403, expected 200 (an access rule'],
    ['502 Bad Gateway', 'with status 502, expected 200'],
    // Listeners of network/dial.ts: once connect
  ])('names the status when the proxy answers %s', async (status, message) => {
    const { tcp } = await atConnect((socket) => socket.write(`HTTP/1.1 ${status}\r\n\r\n`));
    expect(tcp).toMatchObject({ kind: 'failed', reason: 'rejected', message: expect.stringContaining(message) });
  });

  test.each<readonly [string, string, Omit<ProxyAnswer, 'status' | 'hasLogin'>]>([
    ['nothing more', '', { schemes: [], page: null }],
    [
      'the ways of a login',
      'Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm="a, Digest b"\r\n',
      { schemes: ['Negotiate', 'NTLM', 'Basic'], page: null },
    ],
    [
      'several in one field, with parameters',
      'Proxy-Authenticate: Digest realm="x", nonce="Basic y", qop=auth, Negotiate\r\nWWW-Authenticate: Basic\r\n',
      { schemes: ['Digest', 'Negotiate', 'Basic'], page: null },
    ],
  ])('tells what it offers: %s', async (_, fields, expected) => {
    const { tcp } = await atConnect((socket) =>
      socket.write(`HTTP/1.1 407 Proxy Authentication Required\r\n${fields}Content-Length: 0\r\n\r\n`),
    );
    expect(tcp).toMatchObject({ proxyAnswer: { status: 407, hasLogin: false, ...expected } });
  });

  const PAGE = '<html><style>p { color: red }</style><p>Denied by rule <b>no-vendors</b></p></html>';

  test.each<readonly [string, readonly string[]]>([
    ['with its length', [`Content-Length: ${String(PAGE.length)}\r\n\r\n${PAGE}`]],
    ['in two packets', [`Content-Length: ${String(PAGE.length)}\r\n\r\n`, PAGE]],
    ['in chunks', ['Transfer-Encoding: chunked\r\n\r\n', `${PAGE.length.toString(16)}\r\n${PAGE}\r\n0\r\n\r\n`]],
    ['up to the end of the connection', ['\r\n', PAGE]],
  ])('quotes its page %s', async (_, packets) => {
    const { tcp } = await atConnect(async (socket) => {
      socket.write('HTTP/1.1 403 Forbidden\r\n');
      for (const packet of packets) {
        await setImmediate();
        socket.write(packet);
      }
      if (packets[0] === '\r\n') socket.end();
    });
    expect(tcp).toMatchObject({
      proxyAnswer: { status: 403, schemes: [], hasLogin: false, page: 'Denied by rule no-vendors' },
    });
  });

  test('does not wait long for a page, nor reads one without end', async () => {
    const silent = await atConnect((socket) => socket.write('HTTP/1.1 403 Forbidden\r\n\r\n'), { ctx: IDLE });
    expect(silent.tcp).toMatchObject({ proxyAnswer: { page: null } });
    expect(silent.tcp.durationMs).toBeLessThan(2000);
    const endless = await atConnect((socket) => {
      socket.write('HTTP/1.1 403 Forbidden\r\n\r\n');
      const timer = setInterval(() => socket.write('word '.repeat(1000)), 1);
      socket.once('close', () => clearInterval(timer));
    });
    expect(endless.tcp).toMatchObject({ proxyAnswer: { page: expect.stringMatching(/^(?:word ){102}wo$/u) } });
  });

  test.each([
    ['as it is', 's3cret-wörd"/+', 's3cret-wörd"/+'],
    ['in base64, with the user', 's3cret-wörd"/+', Buffer.from('fac:s3cret-wörd"/+').toString('base64')],
    ['as HTML', 's3cret&word', 's3cret&amp;word'],
    ['cut', 's3cret-word-of-mine', 'cret-wor'],
    ['whole, and it is short', 's3c', 's3c'],
  ])('shows no password that a page repeats %s', async (_, password, repeated) => {
    const body = `Not with ${repeated} !!`;
    const answer = `HTTP/1.1 407 No\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
    await using peer = await createConnectProxy(1, answer);
    const { tcp } = await bench.look(443, {
      proxy: proxyAt(peer.port, { user: 'fac', password: { kind: 'env', name: 'PROXY_PASSWORD' } }),
      deps: { readSecret: () => Promise.resolve(password) },
    });
    expect(tcp).toMatchObject({ proxyAnswer: { hasLogin: true, page: null } });
  });

  test('waits for a proxy that is slow to connect', async () => {
    const { tcp } = await atConnect(
      (socket) => {
        IDLE.clock.after(4000, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      },
      { ctx: IDLE, depth: 'tcp' },
    );
    expect(tcp.kind).toBe('open');
    expect(tcp.durationMs).toBe(4000);
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ['silence', (): void => {}],
    ['half an answer', (socket): void => void socket.write('HTTP/1.1 200 O')],
  ])('ends under %s, after the deadline', async (_, act) => {
    const { tcp } = await atConnect(act, { ctx: IDLE });
    expect(tcp).toMatchObject({
      kind: 'failed',
      reason: 'timeout',
      message: expect.stringMatching(/^The proxy .* No result within 6000 ms$/u),
    });
    expect(tcp.durationMs).toBe(6000);
  });

  test.each<readonly [string, (socket: Socket) => void, string]>([
    // Listeners of network/dial.ts: once close
    ['an orderly end', (socket): void => void socket.end(), 'closed'],
    // Listeners of network/dial.ts: on error
    ['a reset', (socket): void => void socket.resetAndDestroy(), 'reset'],
    ['another protocol', (socket): void => void socket.write('220 mail ESMTP\r\n'), 'protocol'],
    [
      'headers without end',
      (socket): void => void socket.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(9000)}`),
      'protocol',
    ],
  ])('ends after %s, once, and names the proxy', async (_, act, reason) => {
    const { tcp } = await atConnect(act);
    expect(tcp).toMatchObject({
      kind: 'failed',
      reason,
      message: expect.stringMatching(/^The proxy 127\.0\.0\.1:\d+ /u),
    });
  });

  test.each([
    ['refuses', '127.0.0.1', 'refused'],
    ['has no address (an empty label, so that no resolver is asked)', 'proxy..invalid', 'name-not-resolved'],
  ])('says that it is the proxy that %s', async (_, host, reason) => {
    const { tcp } = await bench.look(443, { proxy: proxyAt(1, { host }) });
    expect(tcp).toMatchObject({
      kind: 'failed',
      reason,
      message: expect.stringContaining(`Cannot reach the proxy ${host}:1`),
    });
  });

  test('is reached at an address that this machine has a route to', async () => {
    await using server = await createTlsPeer({ chain: [bench.hierarchy.leaf] });
    await using proxy = await createConnectProxy(server.port);
    const addresses = [
      { address: '2001:db8::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const { tcp } = await bench.look(443, {
      depth: 'tcp',
      proxy: proxyAt(proxy.port, { host: 'proxy.example' }),
      deps: { system: () => Promise.resolve(addresses) },
    });
    expect(tcp).toMatchObject({ kind: 'open' });
  });

  test('says aborted when the round is called off in the middle', async () => {
    const round = new AbortController();
    const { tcp } = await atConnect(
      () => {
        round.abort();
      },
      { ctx: { signal: round.signal } },
    );
    expect(tcp).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });
});
