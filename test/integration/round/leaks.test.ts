import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { TlsOutcome } from '../../../src/core/observation.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { createTlsBench, IDLE } from '../../support/network/tls-bench.ts';
import { createPeerAtHello, createTcpPeer, createTlsPeer, type Peer } from '../../support/network/tls-peer.ts';

/** Returns the fingerprints of the chain, whether or not the handshake succeeded. */
function prints(tls: TlsOutcome | null): readonly string[] {
  return (tls?.chain?.certificates ?? []).map((certificate) => certificate.fingerprint);
}

/** Returns the number of handles that keep this process busy: sockets and timers. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'Timeout').length;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the captured chain', () => {
  test('is the one that was sent, with every handshake', async () => {
    const bench = await createTlsBench();
    const { leaf, intermediate, root } = bench.hierarchy;
    const chains: readonly (readonly [Identity, ...Identity[]])[] = [
      [leaf, intermediate],
      [leaf],
      [leaf, root, intermediate],
    ];
    for (const chain of [...chains, ...chains]) {
      await using peer = await createTlsPeer({ chain });
      expect(prints(await bench.tls(peer.port))).toEqual(chain.map(({ fingerprint }) => fingerprint));
    }
  });
});

describe('observeEndpoint', () => {
  test('leaves no socket, no timer and no listener behind, however it ends', async () => {
    const bench = await createTlsBench();
    const { leaf } = bench.hierarchy;
    const round = new AbortController();
    const before = handles();
    const peers: readonly (readonly [string, Promise<Peer>])[] = [
      [
        'established',
        createTlsPeer({
          chain: [leaf],
          serve: (socket) => void socket.once('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n')),
        }),
      ],
      ['established', createTlsPeer({ chain: [leaf], serve: (socket) => void socket.resume() })],
      ['client-certificate-demanded', createTlsPeer({ chain: [leaf], requestCert: true, rejectUnauthorized: true })],
      ['failed', createTcpPeer((socket) => void socket.resume())],
      ['failed', createPeerAtHello((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
      ['failed', createPeerAtHello((socket) => socket.resetAndDestroy())],
    ];
    for (const [kind, creating] of peers) {
      await using peer = await creating;
      for (let times = 0; times < 3; times += 1) {
        expect((await bench.look(peer.port, { ctx: { ...IDLE, signal: round.signal } })).tls?.kind).toBe(kind);
      }
      await until(() => peer.open === 0);
    }
    await until(() => handles() <= before);
    expect(getEventListeners(round.signal, 'abort')).toEqual([]);
  });
});
