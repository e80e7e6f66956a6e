import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import type { TlsOutcome } from '../../../src/core/observation.ts';
import { createTlsBench, HOST, IDLE, type Look } from '../../support/network/tls-bench.ts';
import { trickle } from '../../../src/demo/lab/trickle.ts';
import { createPeerAtHello, createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';

const bench = await createTlsBench();

/** Returns the outcome of probing a peer that calls `act` when the ClientHello has arrived. */
async function atHello(act: (socket: Socket) => void, look: Look = {}): Promise<TlsOutcome> {
  await using peer = await createPeerAtHello(act);
  const seen = await bench.look(peer.port, look);
  expect(seen.http).toBeNull();
  expect(peer.seen).toBe(1);
  if (seen.tls === null) throw new Error('The handshake was not reached');
  return seen.tls;
}

/** The start of a TLS 1.2 ServerHello record that announces more bytes than are sent. */
const HALF_SERVER_HELLO = Buffer.from([
  0x16, 0x03, 0x03, 0x00, 0x7a, 0x02, 0x00, 0x00, 0x76, 0x03, 0x03, 1, 2, 3, 4, 5, 6, 7,
]);

const NOTHING = { kind: 'failed', serverName: HOST, alert: null, chain: null, plaintext: null } as const;

describe.concurrent('observeEndpoint and a handshake that fails', () => {
  // Listeners of network/tls/handshake.ts: on close, on error 3, once end, on end, callback of write
  test('tells a reset from an orderly end', async () => {
    expect(await atHello((socket) => socket.resetAndDestroy())).toMatchObject({ ...NOTHING, reason: 'reset' });
    expect(await atHello((socket) => socket.end())).toMatchObject({ ...NOTHING, reason: 'closed' });
  });

  test('reads at most 48 KiB of a chain, because OpenSSL verifies each certificate in the handshake', async () => {
    const { leaf, intermediate } = bench.hierarchy;
    const more = (count: number): Identity[] => Array.from({ length: count }, () => intermediate);
    await using longest = await createTlsPeer({ chain: [leaf, ...more(50)] });
    expect(await bench.tls(longest.port)).toMatchObject({ kind: 'established', chain: { dropped: 35 } });
    await using longer = await createTlsPeer({ chain: [leaf, ...more(150)] });
    const tls = await bench.tls(longer.port);
    expect(tls).toMatchObject({ ...NOTHING, reason: 'protocol' });
    expect(tls).toHaveProperty('message', expect.stringContaining('48 KiB'));
  });

  test.each<readonly [string, (socket: Socket) => void]>([
    ['silence', (): void => {}],
    ['half a ServerHello', (socket): void => void socket.write(HALF_SERVER_HELLO)],
    [
      'a ServerHello that trickles',
      (socket): void => {
        socket.write(HALF_SERVER_HELLO);
        trickle(socket, Buffer.alloc(1), { ...IDLE, every: 500 });
      },
    ],
  ])('ends under %s, after the deadline', async (_, act) => {
    const tls = await atHello(act, { ctx: IDLE });
    expect(tls).toMatchObject({ ...NOTHING, reason: 'timeout', message: 'No result within 4000 ms' });
    expect(tls.durationMs).toBe(4000);
  });

  // Listeners of network/tls/handshake.ts: addEventListener abort
  test('says aborted when the round is called off in the middle', async () => {
    const round = new AbortController();
    const tls = await atHello(
      () => {
        round.abort();
      },
      { ctx: { signal: round.signal } },
    );
    expect(tls).toMatchObject({ ...NOTHING, reason: 'aborted' });
  });

  test.each([
    [40, 'handshake_failure'],
    [49, 'access_denied'],
    [70, 'protocol_version'],
    [80, 'internal_error'],
    [112, 'unrecognized_name'],
    [120, 'no_application_protocol'],
    [222, 'alert_222'],
  ])('names alert %i at hello', async (number, alert) => {
    const tls = await atHello((socket) => socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, number])));
    expect(tls).toMatchObject({ ...NOTHING, reason: 'tls', alert });
  });

  test('takes close_notify at hello for the end that it is', async () => {
    const tls = await atHello((socket) => socket.end(Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x01, 0x00])));
    expect(tls).toMatchObject({ ...NOTHING, reason: 'closed' });
  });

  test.each<readonly [string, string, string]>([
    ['a 400', 'HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>no</html>', 'HTTP/1.1 400 Bad Request Server: x no'],
    // Listeners of network/tls/handshake.ts: on error 2
    ['an SMTP banner', '220 mail.example.test ESMTP\r\n', '220 mail.example.test ESMTP'],
    ['control and non-ASCII characters', 'no\u001B[31m T\u00E9LS\r\n\0', 'no.[31m T.LS .'],
    ['less than a record header', 'no', 'no'],
  ])('recovers the plain text of %s', async (_, sent, plaintext) => {
    const tls = await atHello((socket) => socket.end(Buffer.from(sent, 'latin1')));
    expect(tls).toMatchObject({
      ...NOTHING,
      reason: 'protocol',
      message: expect.stringContaining('plain text'),
      plaintext,
    });
  });

  test('reads a block page behind its style sheet, in pieces, from a peer that stays open', async () => {
    const style = `<style>${'.a { margin: 0; } '.repeat(300)}</style>`;
    const tls = await atHello((socket) => {
      socket.write(
        'HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n' +
          `<html><head>${style}<title>Web Filter Violation</title>`,
      );
      setTimeout(
        () => socket.write('</head><body><h3>Web Page Blocked</h3><p>You have tried to access a web page</p>'),
        50,
      );
    });
    expect(tls).toMatchObject({
      plaintext:
        'HTTP/1.1 403 Forbidden Content-Type: text/html Web Filter Violation Web Page Blocked You have tried to ' +
        'access a web page',
    });
  });

  // Listeners of network/tls/handshake.ts: on data
  test('keeps 512 characters of a peer that talks without end, and listens no longer than that takes', async () => {
    let sent = 0;
    const tls = await atHello((socket) => {
      const talk = (): void => {
        do sent += 16_384;
        while (socket.write('x'.repeat(16_384)));
      };
      socket.on('drain', talk);
      talk();
    });
    expect(tls).toMatchObject({ plaintext: 'x'.repeat(512) });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('recovers a banner that comes before the hello', async () => {
    await using peer = await createTcpPeer((socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
    expect(await bench.tls(peer.port)).toMatchObject({ reason: 'protocol', plaintext: 'SSH-2.0-OpenSSH_9.9' });
  });

  test.each<readonly [string, (socket: Socket) => void, string]>([
    ['reset', (socket): void => void socket.resetAndDestroy(), 'reset'],
    ['ended', (socket): void => void socket.end(), 'closed'],
    ['left silent', (): void => {}, 'timeout'],
  ])('keeps the chain of a connection that is %s after the certificate', async (_, act, reason) => {
    const { leaf, intermediate } = bench.hierarchy;
    await using server = await createTlsPeer({ chain: [leaf, intermediate], maxVersion: 'TLSv1.2' });
    // A middlebox that passes the server's first flight on, including the certificate, and then calls `act`.
    await using middlebox = await createTcpPeer((socket) => {
      const up = connect(server.port, '127.0.0.1').on('error', () => {});
      socket.once('data', (hello) => up.write(hello));
      up.once('data', (flight) => {
        socket.once('data', () => {
          act(socket);
        });
        socket.write(flight);
      });
      void once(socket, 'close').then(() => up.destroy());
    });
    expect(await bench.tls(middlebox.port, { ctx: IDLE })).toMatchObject({
      kind: 'failed',
      reason,
      alert: null,
      plaintext: null,
      chain: {
        certificates: [{ fingerprint: leaf.fingerprint }, { fingerprint: intermediate.fingerprint }],
        dropped: 0,
      },
    });
  });
});
