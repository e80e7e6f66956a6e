import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../../src/core/parse-certificate.ts';
import type { TlsOutcome } from '../../../../src/core/observation.ts';
import { createChainReader } from '../../../../src/probes/endpoint/captured-chain.ts';
import { createIdentity } from '../../../support/authority.ts';
import { createTlsBench, HOST, IMPATIENT } from '../../../support/tls-bench.ts';
import { createPeerAtHello, createTcpPeer, createTlsPeer } from '../../../support/tls-peer.ts';
import type { Peer } from '../../../support/tls-peer.ts';

/** Fingerprints of the chain, whatever became of the handshake. */
function prints(tls: TlsOutcome | null): readonly string[] {
  return (tls?.chain?.certificates ?? []).map((certificate) => certificate.fingerprint);
}

/** Handles that keep this process busy: sockets, timers. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'Timeout').length;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the chain reader', () => {
  test('reads the chain as sent once for each leaf and each length of chain', async () => {
    const bench = await createTlsBench();
    const { leaf, intermediate } = bench.hierarchy;
    const chainReader = createChainReader({ parse: parseCertificate });
    await using whole = await createTlsPeer({ chain: [leaf, intermediate] });
    await using incomplete = await createTlsPeer({ chain: [leaf] });
    for (let round = 0; round < 10; round += 1) {
      expect(prints(await bench.tls(whole.port, { deps: { chainReader } }))).toEqual([
        leaf.fingerprint,
        intermediate.fingerprint,
      ]);
      expect(prints(await bench.tls(incomplete.port, { deps: { chainReader } }))).toEqual([leaf.fingerprint]);
    }
    // The lengths of signatures differ by a few bytes, and may fall on both sides of a step.
    expect(chainReader.reads.sent).toBeLessThanOrEqual(4);
    expect(chainReader.reads.cached + chainReader.reads.sent).toBe(20);
  });

  test('spends its budget on a proxy that makes a new leaf for every connection, then links the chain without a leak', async () => {
    const bench = await createTlsBench();
    const { intermediate, root, leaf } = bench.hierarchy;
    const leaves = await Promise.all(
      Array.from({ length: 12 }, () =>
        createIdentity({ name: 'CN=x', dnsNames: [HOST], issuer: intermediate, keys: leaf.keys }),
      ),
    );
    const chainReader = createChainReader({ parse: parseCertificate, leakBudget: 10 });
    for (const next of leaves) {
      await using peer = await createTlsPeer({ chain: [next, intermediate, root] });
      const seen = await bench.tls(peer.port, { deps: { chainReader } });
      expect(prints(seen)).toEqual([next.fingerprint, intermediate.fingerprint, root.fingerprint]);
    }
    // Two certificates above the leaf each time: five times is the budget.
    expect(chainReader.reads).toEqual({ cached: 0, sent: 5, linked: 7 });
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
        expect((await bench.look(peer.port, { ctx: { signal: round.signal }, deps: IMPATIENT })).tls?.kind).toBe(kind);
      }
      await until(() => peer.open === 0);
    }
    await until(() => handles() <= before);
    expect(getEventListeners(round.signal, 'abort')).toEqual([]);
  });
});
