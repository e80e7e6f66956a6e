import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Agent } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSocket, openTls } from '../../../src/network/connect.ts';
import { queryResolver } from '../../../src/network/dns/exchange.ts';
import { hasRoute, exchangeUdp, sendOnce } from '../../../src/network/udp-exchange.ts';
import { failureReason } from '../../../src/network/failure.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { exchangeJson } from '../../../src/network/rest/json-exchange.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { messageOf } from '../../../src/text/message-of.ts';
import { freePort } from '../../support/network/free-port.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createTcpPeer, type Peer } from '../../support/network/tls-peer.ts';

/** connect(2) fails with EACCES, because a broadcast address needs a socket option that no probe sets. */
const NOT_ALLOWED = { address: '255.255.255.255', port: 9, sourceAddress: null };
const NEVER = new AbortController().signal;
const STEP = new Error('The round was called off');
const QUERY_TOOLS = {
  system: createSystemLookup(),
  sourceAddress: null,
  trust: createSecureContext(),
  clock: systemClock,
  onSend: () => undefined,
  onTruncated: () => undefined,
  signal: NEVER,
};

function at({ port }: { readonly port: number }): Parameters<typeof openSocket>[0] {
  return { address: '127.0.0.1', port, sourceAddress: null };
}

async function peer(serve: Parameters<typeof createTcpPeer>[0]): Promise<Peer> {
  const started = await createTcpPeer(serve);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

/** Starts a UDP server that echoes each packet. */
async function echo(): Promise<{ readonly port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket.address();
}

function ask(server: Parameters<typeof sendOnce>[0], more: UdpPart = {}): Promise<unknown> {
  const packet = (): Buffer => Buffer.from('?');
  return exchangeUdp({ server, clock: systemClock, retransmitAfter: 20, packet, read: () => true, ...more }, NEVER);
}

type UdpPart = Partial<Parameters<typeof exchangeUdp>[0]>;

const BUGS: Readonly<Record<string, () => UdpPart>> = {
  // Listeners of network/udp-exchange.ts: on message
  'an answer cannot be read': () => ({ read: throwing() }),
  'the packet cannot be made': () => ({ packet: throwing() }),
  // Listeners of network/udp-exchange.ts: callback of after
  'the packet cannot be made again': () => ({ packet: throwing(1), read: () => null }),
};

/** Returns a function that throws after this many calls. */
function throwing(times = 0): () => Buffer {
  let left = times;
  return () => {
    left -= 1;
    if (left < 0) throw new Error('A bug');
    return Buffer.from('?');
  };
}

describe('exchangeUdp()', () => {
  // Listeners of network/udp-exchange.ts: once connect
  test('rejects when the kernel does not connect', async () => {
    const error = await ask(NOT_ALLOWED).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EACCES', syscall: 'connect' });
    expect(failureReason(error)).toBe('no-route');
  });

  // Listeners of network/udp-exchange.ts: callback of bind
  test('rejects when its source address cannot be bound', async () => {
    const error = await ask({ ...at(await echo()), sourceAddress: '198.51.100.77' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'bind' });
  });

  // Listeners of network/udp-exchange.ts: on error
  test('rejects when the port is closed', async () => {
    await expect(ask(at({ port: await freePort() }))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each(Object.entries(BUGS))('rejects when %s', async (_, bug) => {
    await expect(ask(at(await echo()), bug())).rejects.toThrow('A bug');
  });

  // Listeners of network/udp-exchange.ts: on error 2
  test('says why a single packet did not leave', async () => {
    expect(await sendOnce(NOT_ALLOWED, Buffer.from('?'))).toMatchObject({ code: 'EACCES' });
    expect(await sendOnce(at(await echo()), Buffer.from('?'))).toBe(null);
  });
});

test('hasRoute() asks the kernel', async () => {
  expect(await hasRoute('127.0.0.1')).toBe(true);
  expect(await hasRoute(NOT_ALLOWED.address)).toBe(false);
});

describe('a connected socket', () => {
  // Listeners of network/connect.ts: once ready
  test('may be reset while nobody uses it', async () => {
    const { port, accepted } = await quietPeer();
    const socket = await openSocket(at({ port }), NEVER);
    (await accepted).resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });

  test.each(['ends', 'is reset'])('that %s before the answer fails the question that is sent over it', async (how) => {
    const { port } = await peer((socket) =>
      socket.once('data', () => void (how === 'ends' ? socket.end() : socket.resetAndDestroy())),
    );
    const resolver = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const asked = queryResolver({ name: 'license.example.test', type: 'A' }, resolver, QUERY_TOOLS);
    expect(await asked.catch(failureReason)).toBe(how === 'ends' ? 'closed' : 'reset');
  });

  test.each(['the round is called off', 'the options are refused'])(
    'is gone when TLS does not begin: %s',
    async (why) => {
      const { port } = await peer(() => undefined);
      const socket = await openSocket(at({ port }), NEVER);
      const signal = why === 'the round is called off' ? AbortSignal.abort(STEP) : NEVER;
      await expect(openTls(socket, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, signal)).rejects.toBeInstanceOf(
        Error,
      );
      expect(socket.destroyed).toBe(true);
    },
  );

  // Listeners of network/connect.ts: once close
  test('that is closed during a handshake fails it', async () => {
    const { port } = await peer(() => undefined);
    const socket = await openSocket(at({ port }), NEVER);
    const handshake = openTls(socket, {}, NEVER);
    socket.destroy();
    expect(await handshake.catch(failureReason)).toBe('closed');
  });
});

/** Starts a peer that does nothing. `accepted` is its end of the first connection. */
async function quietPeer(): Promise<{ readonly port: number; readonly accepted: Promise<Socket> }> {
  const accepted = Promise.withResolvers<Socket>();
  const { port } = await peer(accepted.resolve);
  return { port, accepted: accepted.promise };
}

describe('an answer of an API that is cut', () => {
  const WANTED = { method: 'GET', path: '/', headers: {}, withoutSecrets: (text: string) => text } as const;
  const CONTEXT = { clock: systemClock, signal: NEVER, ownTurn: () => Promise.resolve() };

  /** Resets the connection in the middle of the body, after the exchange has ended. */
  async function exchange(head: string): Promise<unknown> {
    const { port, accepted } = await quietPeer();
    const agent = new Agent();
    onTestFinished(() => agent.destroy());
    const answer = exchangeJson(agent, `http://127.0.0.1:${String(port)}`, WANTED, CONTEXT).catch(messageOf);
    const theirs = await accepted;
    theirs.write(`HTTP/1.1 ${head}\r\nContent-Length: 1000\r\n\r\n{`);
    const told = await answer;
    theirs.resetAndDestroy();
    await new Promise((resolve) => theirs.once('close', resolve));
    return told;
  }

  // Listeners of network/rest/json-exchange.ts: on error
  test('in the body of a refusal leaves the refusal', async () => {
    expect(await exchange('500 Internal Server Error')).toMatchObject({ kind: 'status', status: 500 });
  });

  // Listeners of network/rest/json-exchange.ts: on error 2
  test('in an encoding that nobody asked for is refused', async () => {
    expect(await exchange('200 OK\r\nContent-Encoding: gzip')).toContain('expected no content encoding');
  });
});

const SOURCE = new URL('../../../src/network/', import.meta.url).href;

/** Uses up all file descriptors, then makes requests through everything that opens a socket. */
const STARVED = `
  import { openSync } from 'node:fs';
  import 'net-snmp';
  import { openSocket } from '${SOURCE}connect.ts';
  import { failureReason } from '${SOURCE}failure.ts';
  import { snmpGet } from '${SOURCE}snmp/snmp-get.ts';
  import { exchangeUdp, hasRoute, sendOnce } from '${SOURCE}udp-exchange.ts';
  const server = { address: '127.0.0.1', port: 9, sourceAddress: null };
  const signal = AbortSignal.timeout(5_000);
  const exchange = { server, clock: { after: () => () => {} }, packet: () => Buffer.from('?'), read: () => null };
  const community = { kind: 'community', community: 'public' };
  try { for (;;) openSync('/dev/null'); } catch {}
  const told = {
    exchangeUdp: await exchangeUdp(exchange, signal).catch(failureReason),
    sendOnce: failureReason(await sendOnce(server, Buffer.from('?'))),
    hasRoute: await hasRoute('127.0.0.1'),
    openSocket: await openSocket(server, signal).catch(failureReason),
    snmpGet: await snmpGet({ host: '127.0.0.1', port: 161 }, community, ['1.3.6'], { signal }).catch(failureReason),
  };
  console.log(JSON.stringify(told));
`;

describeWhere([{ program: 'prlimit' }], 'without a file descriptor', () => {
  // Listeners of network/snmp/snmp-get.ts: on error 2
  test('every operation fails by itself, as trouble of this machine', () => {
    const { PATH } = process.env;
    const { stdout, stderr } = spawnSync(
      'prlimit',
      ['--nofile=64:64', process.execPath, '--input-type=module', '-e', STARVED],
      { encoding: 'utf8', env: { PATH } },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      exchangeUdp: 'internal',
      sendOnce: 'internal',
      hasRoute: false,
      openSocket: 'internal',
      snmpGet: 'internal',
    });
  });
});
