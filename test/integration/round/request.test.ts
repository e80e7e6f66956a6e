import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { EndpointObservation } from '../../../src/core/observation.ts';
import { createTlsBench, IDLE, type Look } from '../../support/network/tls-bench.ts';
import { trickle } from '../../../src/demo/lab/trickle.ts';
import { createTcpPeer, createTlsPeer, type Peer, type TlsPeerOptions } from '../../support/network/tls-peer.ts';

const bench = await createTlsBench();

/** Checks a server that calls `act` when the request has arrived. */
async function atRequest(
  act: (socket: TLSSocket, request: string) => void,
  look: Look = {},
): Promise<EndpointObservation> {
  const { leaf, intermediate } = bench.hierarchy;
  await using peer = await createTlsPeer({
    chain: [leaf, intermediate],
    serve: (socket) => {
      socket.once('data', (data: Buffer) => {
        act(socket, data.toString('latin1'));
      });
    },
  });
  const seen = await bench.look(peer.port, look);
  expect(peer.seen).toBe(1);
  expect(seen.tcp.kind).toBe('open');
  return seen;
}

/** Returns a handler that writes `text` and keeps the connection open. */
function write(text: string): (socket: TLSSocket) => void {
  return (socket) => void socket.write(text);
}

describe.concurrent('observeEndpoint and HTTP', () => {
  test('asks for the path of the host that it is told, once, and closes', async () => {
    const requests: string[] = [];
    const seen = await atRequest(
      (socket, request) => {
        requests.push(request);
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      },
      { path: '/SoftToken/x?y=1', method: 'HEAD' },
    );
    expect(seen.http).toMatchObject({ kind: 'response', status: 204 });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(
      /^HEAD \/SoftToken\/x\?y=1 HTTP\/1\.1\r\nhost: license\.example\.test:\d+\r\nconnection: close\r\n/u,
    );
  });

  test('records status, date, server and what proxies left', async () => {
    const before = Date.now();
    const { http } = await atRequest(
      write(
        'HTTP/1.1 503 Service Unavailable\r\nDate: Tue, 24 Nov 2026 13:00:00 GMT\r\nServer: Microsoft-IIS/10.0\r\n' +
          'Via: 1.1 proxy.example (squid/6.1)\r\nX-BlueCoat-Via: abc\r\nX-Cache: MISS from squid.example\r\n' +
          'Content-Length: 0\r\n\r\n',
      ),
    );
    expect(http).toMatchObject({
      kind: 'response',
      status: 503,
      date: Date.UTC(2026, 10, 24, 13),
      server: 'Microsoft-IIS/10.0',
      proxyTraces: ['via: 1.1 proxy.example (squid/6.1)', 'x-bluecoat-via', 'x-cache'],
      blockPage: null,
    });
    if (http?.kind !== 'response') throw new Error('No response');
    expect(http.receivedAt).toBeGreaterThanOrEqual(before);
    expect(http.receivedAt).toBeLessThanOrEqual(Date.now());
  });

  // Listeners of network/http/response-to.ts: once close
  test('fails where the peer switches protocols, which nobody asked for', async () => {
    const { http } = await atRequest(
      write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    );
    expect(http).toMatchObject({ kind: 'failed', reason: 'protocol', message: expect.stringContaining('response') });
  });

  test('does not follow a redirect', async () => {
    const { http } = await atRequest(
      write('HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
    );
    expect(http).toMatchObject({ kind: 'response', status: 302, blockPage: null });
  });

  test('recognises a block page, even one that never ends', async () => {
    const page = `<style>${'x'.repeat(5000)}</style><h1>FortiGuard Intrusion Prevention - Access Blocked</h1>`;
    const answer = `HTTP/1.1 403 Forbidden\r\nContent-Length: 999999\r\n\r\n${page}`;
    const { http } = await atRequest(write(answer), { ctx: IDLE });
    expect(http).toMatchObject({ kind: 'response', status: 403, blockPage: { product: 'Fortinet FortiGate' } });
  });

  // Listeners of network/http/response-to.ts: once response
  test('reads 64 KiB of a body without end', async () => {
    let sent = 0;
    const { http } = await atRequest((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const talk = (): void => {
        do sent += 16_384;
        while (socket.write('x'.repeat(16_384)));
      };
      socket.on('drain', talk);
      talk();
    });
    expect(http).toMatchObject({ kind: 'response', status: 200 });
    expect(sent).toBeLessThan(16 * 1024 * 1024);
  });

  test.each<readonly [string, (socket: TLSSocket) => void]>([
    ['silence', (): void => {}],
    ['half a header', write('HTTP/1.1 200 OK\r\nSer')],
    [
      'a header that trickles',
      (socket): void => {
        socket.write('HTTP/1.1 200 OK\r\n');
        trickle(socket, Buffer.from('X-A: b\r\n'), { ...IDLE, every: 500 });
      },
    ],
  ])('ends under %s, after the deadline', async (_, act) => {
    const { tls, http } = await atRequest(act, { ctx: IDLE });
    expect(tls?.kind).toBe('established');
    expect(http).toMatchObject({ kind: 'failed', reason: 'timeout', message: 'No result within 4000 ms' });
    expect(http?.durationMs).toBe(4000);
  });

  test.each<readonly [string, (socket: TLSSocket) => void, string]>([
    ['an orderly end', (socket): void => void socket.end(), 'closed'],
    ['an end after half a header', (socket): void => void socket.end('HTTP/1.1 200'), 'closed'],
    ['another protocol', write('220 mail.example.test ESMTP\r\n'), 'protocol'],
    ['headers without end', write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 'protocol'],
  ])('fails by its own reason after %s', async (_, act, reason) => {
    expect((await atRequest(act)).http).toMatchObject({ kind: 'failed', reason });
  });

  // Listeners of network/http/response-to.ts: on error
  // Listeners of network/tls/handshake.ts: on error, callback of end
  test('tells a reset from an orderly end', async () => {
    const { leaf } = bench.hierarchy;
    await using server = await createTlsPeer({ chain: [leaf] });
    // A middlebox that passes the handshake on and resets at the request. The ClientHello is followed by 80 bytes, then
    // by 200.
    await using middlebox = await createTcpPeer((socket) => {
      const up = connect(server.port, '127.0.0.1').on('error', () => {});
      let afterHello = 0;
      up.pipe(socket);
      socket.once('data', (hello: Buffer) => {
        up.write(hello);
        socket.on('data', (data: Buffer) => {
          afterHello += data.length;
          if (afterHello > 150) socket.resetAndDestroy();
          else up.write(data);
        });
      });
      socket.once('close', () => up.destroy());
    });
    expect(await bench.http(middlebox.port)).toMatchObject({ kind: 'failed', reason: 'reset' });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    // Listeners of network/tls/handshake.ts: once secureConnect
    'notices an end that came before the request with %s',
    async (maxVersion) => {
      const { leaf } = bench.hierarchy;
      await using peer = await createTlsPeer({ chain: [leaf], maxVersion, serve: (socket) => void socket.end() });
      expect(await bench.http(peer.port)).toMatchObject({ kind: 'failed', reason: 'closed' });
    },
  );

  test('says aborted when the round is called off in the middle', async () => {
    const round = new AbortController();
    const { http } = await atRequest(
      () => {
        round.abort();
      },
      { ctx: { signal: round.signal } },
    );
    expect(http).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });
});

describe.concurrent('observeEndpoint and a client certificate that is missed late', () => {
  const asking = (more: Partial<TlsPeerOptions> = {}): Promise<Peer> =>
    createTlsPeer({ chain: [bench.hierarchy.leaf], requestCert: true, rejectUnauthorized: false, ...more });

  test('counts the server alive, however the refusal and the request cross', async () => {
    await using peer = await asking({ minVersion: 'TLSv1.3', rejectUnauthorized: true });
    for (let round = 0; round < 40; round += 1) {
      expect(await bench.look(peer.port)).toMatchObject({
        tls: { kind: 'client-certificate-demanded' },
        http: { kind: 'client-certificate-demanded' },
      });
    }
  });

  test('counts a server alive that asks with TLS 1.3 and then hangs up without an alert', async () => {
    await using peer = await asking({
      minVersion: 'TLSv1.3',
      serve: (socket) => void socket.once('data', () => socket.end()),
    });
    expect((await bench.look(peer.port)).http).toMatchObject({ kind: 'client-certificate-demanded' });
  });

  test.each<readonly [string, (socket: TLSSocket) => void]>([
    ['ends the connection', (socket) => socket.end()],
    ['drops the connection', (socket) => socket.destroy()],
  ])('does not excuse a server that asks with TLS 1.2, completes the handshake and %s', async (_, act) => {
    await using peer = await asking({
      maxVersion: 'TLSv1.2',
      serve: (socket) => void socket.once('data', () => act(socket)),
    });
    expect((await bench.look(peer.port)).http).toMatchObject({ kind: 'failed', reason: 'closed' });
  });

  test('does not excuse a server that asks and stays silent', async () => {
    await using peer = await asking();
    expect((await bench.look(peer.port, { ctx: IDLE })).http).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });
});
