import type { Socket } from 'node:net';
import { createServer as createTls, type Server } from 'node:tls';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem, createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { configOf } from '../../support/config/config-of.ts';
import { createDnsServer, zone } from '../../support/network/dns-server.ts';
import { HOUR } from '../../support/store/incident-timeline.ts';
import { startRoundsByHand, type RoundsByHandOptions } from './rounds-by-hand.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';
import { sampleOf } from '../../support/random/samples.ts';

/** Counts the attempts of this process to connect to one port, successful or not. */
interface Dialled extends Disposable {
  readonly count: number;
}

const CHANNEL = 'net.client.socket';

function countDialled(port: number): Dialled {
  let count = 0;
  function onSocket(message: unknown): void {
    const { socket } = message as { readonly socket: Socket };
    socket.on('connectionAttempt', (_address: string, dialled: number) => {
      if (dialled === port) count += 1;
    });
  }
  subscribe(CHANNEL, onSocket);
  return {
    get count(): number {
      return count;
    },
    [Symbol.dispose]: () => unsubscribe(CHANNEL, onSocket),
  };
}

const CONTROL_HOST = 'www.control.test';

const cleanUps: (() => PromiseLike<void> | void)[] = [];

const genuine = await createHierarchy();
const inspecting = await createIdentity({ name: 'CN=Contoso TLS Inspection', authority: true });

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function own<T extends AsyncDisposable>(resource: T): T {
  cleanUps.push(() => resource[Symbol.asyncDispose]());
  return resource;
}

/** The outcomes of successive connections. */
type Fate = 'genuine' | 'inspected' | 'new leaf' | 'reset';

function tlsServer(...chain: readonly [Identity, ...Identity[]]): Server {
  const server = createTls({ cert: chainPem(...chain), key: chain[0].keyPem }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

/** Starts a licence server and the device on the path to it. */
async function createSite(fates: readonly Fate[]): Promise<number> {
  const straight = tlsServer(genuine.leaf, genuine.intermediate);
  const leaf = (issuer: Identity): Promise<Identity> =>
    createIdentity({ name: 'CN=license.example.test', dnsNames: ['license.example.test'], issuer });
  const copies = tlsServer(await leaf(inspecting), inspecting);
  const renewed = await Promise.all(
    Array.from({ length: 40 }, async () => tlsServer(await leaf(genuine.intermediate), genuine.intermediate)),
  );
  let connections = 0;
  const peer = own(
    await createTcpPeer((socket) => {
      const fate = fates[connections % fates.length] ?? 'genuine';
      connections += 1;
      meet(fate, socket);
    }),
  );
  function meet(fate: Fate, socket: Socket): void {
    switch (fate) {
      case 'reset':
        socket.once('data', () => socket.resetAndDestroy());
        return;
      case 'genuine':
        straight.emit('connection', socket);
        return;
      case 'inspected':
        copies.emit('connection', socket);
        return;
      case 'new leaf':
        renewed[connections % renewed.length]?.emit('connection', socket);
    }
  }
  return peer.port;
}

async function configFor(port: number): Promise<Config> {
  const name = { type: 'A', name: CONTROL_HOST, class: 'IN', ttl: 300, data: '127.0.0.1' } as const;
  const resolver = own(await createDnsServer(zone({ [CONTROL_HOST]: [name] })));
  const root = await createIdentity({ name: 'C=US, O=Another Trust, CN=Another Root', authority: true });
  const leaf = await createIdentity({ name: `CN=${CONTROL_HOST}`, dnsNames: [CONTROL_HOST], issuer: root });
  const control = own(
    await createTlsPeer({
      chain: [leaf, root],
      serve: (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')),
    }),
  );
  return configOf({
    licenseServer: { host: '127.0.0.1', port, serverName: 'license.example.test' },
    trust: { profile: 'pinned', pins: [genuine.intermediate.pin] },
    controlHosts: [`${CONTROL_HOST}:${String(control.port)}`],
    resolvers: [`udp://127.0.0.1:${String(resolver.port)}`],
  });
}

/** Returns the connections in the first hour, which has the most because everything new is investigated. */
async function connectionsInAnHour(port: number, options: RoundsByHandOptions = {}): Promise<number> {
  using dialled = countDialled(port);
  using rounds = await startRoundsByHand(await configFor(port), options);
  await rounds.run(HOUR);
  expect(rounds.count()).toBeGreaterThanOrEqual(120);
  return dialled.count;
}

const ALL_SORTS: readonly Fate[] = ['genuine', 'reset', 'inspected', 'new leaf', 'reset'];

const LOADS: readonly (readonly [string, number, readonly Fate[], RoundsByHandOptions])[] = [
  ['everything works', 125, ['genuine'], {}],
  ['each connection shows another leaf', 145, ['new leaf'], {}],
  ['TLS is reset', 205, ['reset'], {}],
  ['each connection is inspected', 265, ['inspected'], {}],
  ['every second connection is blocked', 500, ['genuine', 'reset'], {}],
  ['every second connection is inspected', 500, ['genuine', 'inspected'], {}],
  ['everything works, and FortiAuthenticator complains without end', 325, ['genuine'], { complains: true }],
  ['everything at once, and FortiAuthenticator complains without end', 720, ALL_SORTS, { complains: true }],
];

// docs/performance.md lists these figures.
describe('connections an hour to an address of the licence server, every look included', () => {
  test.each(sampleOf(LOADS, 4))('%s: no more than %i', async (_, most, fates, options) => {
    expect(await connectionsInAnHour(await createSite(fates), options)).toBeLessThanOrEqual(most);
  });

  test('nothing answers: no more than 142', async () => {
    const hole = own(await createBlackHole());
    expect(await connectionsInAnHour(hole.port)).toBeLessThanOrEqual(142);
  });
});
