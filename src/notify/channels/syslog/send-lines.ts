import { once } from 'node:events';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { deadline, sleep } from '../../../system/clock.ts';
import type { Clock, Millis } from '../../../core/clock.ts';
import { readAuthorities } from '../../../network/tls/authorities.ts';
import type { SyslogConfig } from './section.ts';

type Receiver = Pick<SyslogConfig, 'host' | 'port' | 'transport' | 'caFile'>;

/** For all of it, from the look-up of the name on. */
const SEND_DEADLINE: Millis = 15_000;
/** A port where nobody listens is told of by then, where it is told of at all. */
const REFUSAL: Millis = 250;
/** A receiver that took everything and does not close the connection has taken it all the same. */
const CLOSING: Millis = 3_000;

/**
 * Hands the lines over, on a connection of its own.
 * @throws {Error} when the receiver cannot be reached, or breaks off before it has taken all
 */
export async function sendLines(
  lines: readonly string[],
  receiver: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  using limit = deadline(clock, SEND_DEADLINE, signal);
  if (receiver.transport === 'udp') await sendDatagrams(lines, receiver, clock, limit.signal);
  else await sendStream(lines, receiver, clock, limit.signal);
}

async function sendDatagrams(
  lines: readonly string[],
  { host, port }: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', signal });
  const failed = once(socket, 'error', { signal }).then(([error]) => {
    throw error instanceof Error ? error : new Error('The datagram could not be sent');
  });
  // Each datagram may be answered with an error of its own.
  socket.on('error', () => undefined);
  try {
    socket.connect(port, host);
    await Promise.race([once(socket, 'connect', { signal }), failed]);
    for (const line of lines) await Promise.race([sendDatagram(socket, line), failed]);
    await Promise.race([sleep(clock, REFUSAL, signal), failed]);
  } finally {
    // What comes after the end concerns nobody.
    failed.catch(() => undefined);
    if (!signal.aborted) socket.close();
  }
}

/** @throws {Error} when it does not leave this machine: without a callback, Node drops that error */
function sendDatagram(socket: UdpSocket, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(line, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function sendStream(
  lines: readonly string[],
  receiver: Receiver,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { transport, caFile } = receiver;
  const authorities = transport === 'tls' && caFile !== null ? (await readAuthorities(caFile)).pems : null;
  const socket = openStream(receiver, authorities);
  // At once and for good: it may fail before anything else listens, and after that.
  socket.on('error', () => undefined);
  try {
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect', { signal });
    // RFC 6587 §3.4.1, RFC 5425 §4.3: the length in front, in bytes.
    socket.resume().end(lines.map((line) => `${String(Buffer.byteLength(line))} ${line}`).join(''));
    await once(socket, 'finish', { signal });
    await closed(socket, clock, signal);
  } finally {
    socket.destroy();
  }
}

/** @throws {Error} when the receiver breaks off instead */
async function closed(socket: Socket, clock: Clock, signal: AbortSignal): Promise<void> {
  using limit = deadline(clock, CLOSING, signal);
  try {
    if (!socket.closed) await once(socket, 'close', { signal: limit.signal });
  } catch (error) {
    if (!limit.expired()) throw error;
  }
  if (socket.errored !== null) throw socket.errored;
}

function openStream({ host, port, transport }: Receiver, authorities: readonly string[] | null): Socket {
  if (transport !== 'tls') return connect({ host, port });
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(authorities === null ? {} : { ca: [...authorities] }),
    ...name,
  });
}
