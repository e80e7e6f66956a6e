import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { createTlsBench, IDLE } from '../../support/network/tls-bench.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';

const bench = await createTlsBench();

describe.concurrent('observeEndpoint and TCP', () => {
  test('opens, goes no deeper than asked and leaves no connection', async () => {
    let ended: Promise<unknown> = Promise.resolve();
    await using peer = await createTcpPeer((socket) => {
      ended = once(socket.resume(), 'close');
    });
    const seen = await bench.look(peer.port, { depth: 'tcp' });
    expect(seen).toMatchObject({
      target: `license.example.test:${String(peer.port)}`,
      address: '127.0.0.1',
      family: 4,
      proxy: null,
      tcp: { kind: 'open' },
      tls: null,
      http: null,
    });
    expect(seen.tcp.durationMs).toBeGreaterThan(0);
    await ended;
    expect(peer.open).toBe(0);
  });

  test('opens IPv6', async () => {
    await using peer = await createTcpPeer(() => {}, '::1');
    const seen = await bench.look(peer.port, { depth: 'tcp', address: '::1' });
    expect(seen).toMatchObject({ family: 6, tcp: { kind: 'open' } });
  });

  // Listeners of network/connect.ts: on error 2
  test('says that the port is refused', async () => {
    const seen = await bench.look(await freePort());
    expect(seen).toMatchObject({ tcp: { kind: 'failed', reason: 'refused' }, tls: null, http: null });
  });

  test('ends under dropped packets, after its own deadline', async () => {
    await using hole = await createBlackHole();
    const { tcp } = await bench.look(hole.port, { ctx: IDLE });
    expect(tcp).toMatchObject({ kind: 'failed', reason: 'timeout' });
    expect(tcp.durationMs).toBe(3000);
  });

  test('calls a source address that this machine does not have its own trouble', async () => {
    await using peer = await createTcpPeer(() => {});
    const { tcp } = await bench.look(peer.port, { ctx: { sourceAddress: '192.0.2.7' } });
    expect(tcp).toMatchObject({ kind: 'failed', reason: 'internal' });
  });

  test('leaves from the source address that it is given', async () => {
    let from = '';
    await using peer = await createTcpPeer((socket) => {
      from = socket.remoteAddress ?? '';
    });
    const seen = await bench.look(peer.port, { depth: 'tls', ctx: { ...IDLE, sourceAddress: '127.0.0.9' } });
    expect(seen.tcp.kind).toBe('open');
    expect(from).toBe('127.0.0.9');
  });

  // Listeners of network/connect.ts: addEventListener abort
  test('says aborted, not timeout, when the round is called off', async () => {
    await using hole = await createBlackHole();
    const round = new AbortController();
    const looking = bench.look(hole.port, { ctx: { signal: round.signal } });
    round.abort();
    expect((await looking).tcp).toMatchObject({ kind: 'failed', reason: 'aborted' });
    expect((await bench.look(hole.port, { ctx: { signal: round.signal } })).tcp).toMatchObject({
      kind: 'failed',
      reason: 'aborted',
    });
  });
});
