import { afterEach, describe, expect, test } from 'vitest';

import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { RoundObservations } from '../../../src/core/round.ts';
import { createInstruments } from '../../../src/round/instruments.ts';
import { observeRound } from '../../../src/round/round.ts';
import { configOf } from '../../support/config/config-of.ts';
import { createDnsServer, zone } from '../../support/network/dns-server.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { createTcpPeer, type Peer } from '../../support/network/tls-peer.ts';
import { until } from '../../support/time/until.ts';

const cleanUps: (() => PromiseLike<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function begin(
  config: Config,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly end: Promise<RoundObservations> }> {
  const instruments = await createInstruments(config, { clock, env: {} });
  const wishes = {
    mailServers: Promise.resolve([]),
    codeLife: Promise.resolve(null),
    onProgress: () => undefined,
    isComplained: false,
    complainedAt: null,
  };
  return { end: observeRound(instruments, wishes, signal) };
}

/** Accepts connections on all addresses of the machine and never responds. */
async function silentPeer(): Promise<Peer & { readonly mostOpen: number }> {
  let mostOpen = 0;
  const peer = await createTcpPeer((socket) => {
    // Reads, so that it detects closed connections.
    socket.resume();
    mostOpen = Math.max(mostOpen, peer.open);
  }, '0.0.0.0');
  cleanUps.push(() => peer[Symbol.asyncDispose]());
  return Object.defineProperty(Object.create(peer), 'mostOpen', { get: () => mostOpen }) as Peer & {
    readonly mostOpen: number;
  };
}

/**
 * Returns a configuration with this many services at separate loopback addresses, in addition to the licence server.
 */
function silentServices(count: number, port: number): Promise<Config> {
  const services = Array.from({ length: count }, (_, index) => ({
    name: `service-${String(index)}`,
    host: `127.1.${String(Math.floor(index / 250))}.${String((index % 250) + 1)}`,
    port,
  }));
  return configOf({ licenseServer: { host: '127.0.0.1', port }, controlHosts: [], services });
}

describe('a round of many targets', () => {
  test('asks each resolver for each name once', async () => {
    const names = ['license.example.test', 'a.example.test', 'b.example.test'];
    const servers = await Promise.all([0, 1].map(() => createDnsServer(zone({}))));
    for (const server of servers) cleanUps.push(() => server[Symbol.asyncDispose]());
    const config = await configOf({
      licenseServer: { host: names[0] },
      controlHosts: names.map((host) => `${host}:8443`),
      services: Array.from({ length: 60 }, (_, index) => ({
        name: `service-${String(index)}`,
        host: names[index % names.length],
        port: 1_000 + index,
      })),
      resolvers: servers.map(({ port }) => `udp://127.0.0.1:${String(port)}`),
    });
    const round = await begin(config, systemClock, new AbortController().signal);
    const { services } = (await round.end).path;
    expect(services.map(({ subject }) => subject)).toEqual(
      config.services.map(({ host, port }) => `${host}:${String(port)}`),
    );
    for (const { asked } of servers)
      expect(asked.map(({ name, type }) => `${name} ${type}`).toSorted()).toEqual(
        names.flatMap((name) => [`${name} A`, `${name} AAAA`]).toSorted(),
      );
  });

  test('has a verdict on 200 that do not answer, with 128 connections open at once', async () => {
    const peer = await silentPeer();
    const config = await silentServices(200, peer.port);
    const round = await begin(config, idleClock(), new AbortController().signal);
    const { services } = (await round.end).path;
    // The peer detects a closed connection slightly later.
    expect(peer.mostOpen).toBeLessThanOrEqual(128 + 50);
    const reasons = services.flatMap(({ endpoints }) =>
      endpoints.map(({ tls }) => tls?.kind === 'failed' && tls.reason),
    );
    expect(reasons).toEqual(services.map(() => 'timeout'));
  });

  test('lets go of everything when it is called off, and dials nobody any more', async () => {
    const peer = await silentPeer();
    const abort = new AbortController();
    const round = await begin(await silentServices(1_000, peer.port), systemClock, abort.signal);
    await until(
      () => Promise.resolve(peer.seen),
      (seen) => seen >= 100,
      10_000,
    );
    abort.abort(new Error('Stopping'));
    const { services } = (await round.end).path;
    const { seen } = peer;
    expect(services).toHaveLength(1_000);
    await until(
      () => Promise.resolve(peer.open),
      (open) => open === 0,
      5_000,
    );
    // Connections that were being opened reach the peer slightly later. That can be all 128.
    expect(peer.seen - seen).toBeLessThanOrEqual(128);
    expect(seen).toBeLessThan(500);
  });
});
