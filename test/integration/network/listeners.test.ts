import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSocket, openTls } from '../../../src/network/connect.ts';
import { encodeQuery } from '../../../src/network/dns/message.ts';
import { exchangeStream } from '../../../src/network/dns/stream.ts';
import { systemExchanges } from '../../../src/network/dns/system-exchanges.ts';
import { failureReason } from '../../../src/network/failure.ts';
import { hasRoute } from '../../../src/network/has-route.ts';
import { greets } from '../../../src/network/smtp/greets.ts';
import { exchangeUdp, sendOnce } from '../../../src/network/udp-exchange.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { freePort } from '../../support/free-port.ts';
import { describeWhere } from '../../support/privilege.ts';
import { createTcpPeer, type Peer } from '../../support/tls-peer.ts';

/** connect(2) is refused with EACCES: a broadcast address needs an option that no probe sets. */
const NOT_ALLOWED = { address: '255.255.255.255', port: 9, sourceAddress: null };
const NEVER = new AbortController().signal;
const STEP = new Error('The round was called off');
const QUERY = encodeQuery({ id: 1, name: 'license.example.test', type: 'A' }, false);

function at({ port }: { readonly port: number }): Parameters<typeof openSocket>[0] {
  return { address: '127.0.0.1', port, sourceAddress: null };
}

async function peer(serve: Parameters<typeof createTcpPeer>[0]): Promise<Peer> {
  const started = await createTcpPeer(serve);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

/** A UDP server that answers each packet with itself. */
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
  'an answer cannot be read': () => ({ read: throwing() }),
  'the packet cannot be made': () => ({ packet: throwing() }),
  'the packet cannot be made again': () => ({ packet: throwing(1), read: () => null }),
};

/** Works so many times. */
function throwing(times = 0): () => Buffer {
  let left = times;
  return () => {
    left -= 1;
    if (left < 0) throw new Error('A bug');
    return Buffer.from('?');
  };
}

describe('exchangeUdp()', () => {
  test('rejects when the kernel does not connect', async () => {
    const error = await ask(NOT_ALLOWED).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EACCES', syscall: 'connect' });
    expect(failureReason(error)).toBe('no-route');
  });

  test('rejects when its source address cannot be bound', async () => {
    const error = await ask({ ...at(await echo()), sourceAddress: '198.51.100.77' }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'bind' });
  });

  test('rejects when the port is closed', async () => {
    await expect(ask(at({ port: await freePort() }))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each(Object.entries(BUGS))('rejects when %s', async (_, bug) => {
    await expect(ask(at(await echo()), bug())).rejects.toThrow('A bug');
  });

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
  test('may be reset while nobody uses it', async () => {
    const accepted = Promise.withResolvers<Socket>();
    const { port } = await peer(accepted.resolve);
    const socket = await openSocket(at({ port }), NEVER);
    (await accepted.promise).resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.errored).toMatchObject({ code: 'ECONNRESET' });
  });

  test.each(['ends', 'is reset'])('that %s before the answer fails the question that is sent over it', async (how) => {
    const { port } = await peer((socket) =>
      socket.once('data', () => void (how === 'ends' ? socket.end() : socket.resetAndDestroy())),
    );
    const socket = await openSocket(at({ port }), NEVER);
    const reason = await exchangeStream(socket, QUERY, NEVER).catch(failureReason);
    expect(reason).toBe(how === 'ends' ? 'closed' : 'reset');
  });

  test('that is gone already fails the question at once', async () => {
    const { port } = await peer(() => undefined);
    const socket = await openSocket(at({ port }), NEVER);
    socket.destroy();
    await expect(exchangeStream(socket, QUERY, NEVER)).rejects.toMatchObject({ reason: 'closed' });
  });

  test.each(['the round is called off', 'the options are refused'])(
    'is gone when TLS does not begin: %s',
    async (why) => {
      const { port } = await peer(() => undefined);
      const socket = await openSocket(at({ port }), NEVER);
      const signal = why === 'the round is called off' ? AbortSignal.abort(STEP) : NEVER;
      await expect(openTls(socket, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, signal)).rejects.toThrow();
      expect(socket.destroyed).toBe(true);
    },
  );
});

describe('greets()', () => {
  test.each([
    ['resets', (socket: Socket) => socket.resetAndDestroy(), 'reset'],
    ['is silent', () => undefined, 'aborted'],
  ] as const)('fails with a server that %s', async (_, serve, reason) => {
    const { port } = await peer((socket) => void serve(socket));
    const socket = connect(port, '127.0.0.1');
    const calledOff = new AbortController();
    const greeting = greets(socket, calledOff.signal).catch((error: unknown) =>
      error === STEP ? 'aborted' : failureReason(error),
    );
    if (reason === 'aborted') calledOff.abort(STEP);
    expect(await greeting).toBe(reason);
  });
});

test('systemExchanges() ends when it is called off', async () => {
  const calledOff = new AbortController();
  const found = systemExchanges('example.test', calledOff.signal);
  calledOff.abort(STEP);
  await expect(found).rejects.toBe(STEP);
});

const SOURCE = new URL('../../../src/network/', import.meta.url).href;

/** Takes every file descriptor, then asks over everything that opens a socket. */
const STARVED = `
  import { openSync } from 'node:fs';
  import 'net-snmp';
  import { openSocket } from '${SOURCE}connect.ts';
  import { failureReason } from '${SOURCE}failure.ts';
  import { hasRoute } from '${SOURCE}has-route.ts';
  import { snmpGet } from '${SOURCE}snmp/snmp-get.ts';
  import { exchangeUdp, sendOnce } from '${SOURCE}udp-exchange.ts';
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
