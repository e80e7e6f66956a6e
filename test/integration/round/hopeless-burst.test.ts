import type { Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { EndpointObservation } from '../../../src/core/observation.ts';
import { observeBurst, type PathTarget } from '../../../src/round/path.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { lookUnder } from '../../support/checks/look.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { createTlsBench, HOST } from '../../support/network/tls-bench.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';

const SILENT = '127.0.0.2';
const GOOD = '127.0.0.3';
/** Longer than the time allowed for an address where nothing works, shorter than the time allowed for a connection. */
const LATE = 5_000;

const clock = idleClock();
const bench = await createTlsBench();

function targetAt(port: number): PathTarget {
  return {
    host: HOST,
    port,
    serverName: HOST,
    depth: 'http',
    path: '/',
    method: 'GET',
    proxy: null,
    expectedAddresses: [],
    family: 'auto',
    resolvers: [],
  };
}

/** A site that never responds at one address. At the other it responds, but late to the third connection. */
async function createSite(): Promise<AsyncDisposable & { readonly port: number }> {
  const { leaf, intermediate } = bench.hierarchy;
  const server = createTls({ cert: chainPem(leaf, intermediate), key: leaf.keyPem }, (socket) => {
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  let answered = 0;
  return createTcpPeer((socket: Socket) => {
    if (socket.localAddress !== GOOD) return;
    answered += 1;
    if (answered === 3) clock.after(LATE, () => server.emit('connection', socket));
    else server.emit('connection', socket);
  }, '0.0.0.0');
}

interface Outcome {
  readonly address: string;
  readonly ended: string;
  readonly time: number;
}

function outcomeOf({ address, tcp, tls }: EndpointObservation): Outcome {
  const last = tls ?? tcp;
  const ended = last.kind === 'failed' ? `${tls === null ? 'tcp' : 'tls'} ${last.reason}` : last.kind;
  return { address, ended, time: last.durationMs };
}

/** The addresses for twenty connections, in turn. */
function inTurn(...addresses: readonly string[]): readonly string[] {
  return Array.from({ length: 20 }, (_, index) => addresses[index % addresses.length] ?? '');
}

describe('a burst of connections', () => {
  test('gives up an address at which none has worked, and waits for a late one at another', async () => {
    await using site = await createSite();
    const seen = await observeBurst(targetAt(site.port), inTurn(SILENT, GOOD), await lookUnder('{}', { clock }));
    const outcomes = seen.map(outcomeOf);
    const [silent = [], good = []] = [SILENT, GOOD].map((one) => outcomes.filter(({ address }) => address === one));
    expect(silent.map(({ ended }) => ended)).toEqual(Array.from({ length: 10 }, () => 'tls timeout'));
    expect(Math.max(...silent.map(({ time }) => time))).toBeLessThan(LATE);
    expect(good.map(({ ended }) => ended)).toEqual(Array.from({ length: 10 }, () => 'established'));
    expect(Math.max(...good.map(({ time }) => time))).toBeGreaterThan(LATE * 0.9);
  });

  test('gives up an address that swallows every SYN', async () => {
    await using hole = await createBlackHole();
    const seen = await observeBurst(targetAt(hole.port), inTurn('127.0.0.1'), await lookUnder('{}', { clock }));
    const outcomes = seen.map(outcomeOf);
    expect(outcomes.map(({ ended }) => ended)).toEqual(Array.from({ length: 20 }, () => 'tcp timeout'));
    expect(Math.max(...outcomes.map(({ time }) => time))).toBeLessThan(LATE);
  });

  test('that is called off has seen nothing', async () => {
    await using site = await createSite();
    const calledOff = new AbortController();
    clock.after(1_000, () => calledOff.abort());
    const seen = await observeBurst(
      targetAt(site.port),
      [SILENT],
      await lookUnder('{}', { clock, signal: calledOff.signal }),
    );
    expect(new Set(seen.map((one) => outcomeOf(one).ended))).toEqual(new Set(['tls aborted']));
  });
});
