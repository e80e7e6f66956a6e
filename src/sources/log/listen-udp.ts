import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../../config/schema/host-port.ts';
import type { Clock, Millis } from '../../core/clock.ts';
import { messageOf } from '../../text/message-of.ts';
import { bindError } from './bind-error.ts';
import { MAX_LINE_BYTES, trimmedEnd, type FramedLine, type LineSink } from './framing.ts';
import { watchKernelDrops } from './kernel-drops.ts';
import type { IntakeLogger } from './logger.ts';
import { createOccasionalWarning } from './occasional-warning.ts';
import type { LineTally, UdpCounters } from './tally.ts';

/** The default of 208 KiB loses half of a burst of 1000 lines; this loses none of 20 000. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Senders whose reader is kept; with more (spoofed addresses) they are made again. */
const MAX_READERS = 4_096;
const REOPEN_AFTER: Millis = 5_000;

export interface UdpOptions {
  readonly listen: ListenAddress;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly tally: LineTally;
  readonly reader: (address: string) => LineSink;
}

export interface UdpListener {
  readonly address: ListenAddress;
  counters(): UdpCounters;
  stop(): Promise<void>;
}

/**
 * Syslog over UDP: a datagram is a line (RFC 5426 §3.1), line breaks within it included, so nobody can smuggle in a
 * second one. A socket that fails later is opened again on the same port until that succeeds.
 * @throws {Error} when the port cannot be bound
 */
export async function listenUdp(options: UdpOptions): Promise<UdpListener> {
  const { logger, clock, tally } = options;
  const warnOfFailure = createOccasionalWarning(options, 'syslog UDP socket cannot be opened again yet');
  let socket = await open(options.listen, options);
  let openedAt = clock.elapsed();
  let cancelRetry = (): void => {};
  let isStopped = false;
  /** It is closed, and is to be opened again. */
  let isFailed = false;
  const { address, port } = socket.address();

  function follow(opened: Socket): void {
    opened.on('error', (error) => {
      if (isStopped || isFailed || opened !== socket) return;
      isFailed = true;
      logger.error({ err: error }, 'syslog UDP socket failed, opening it again');
      opened.close();
      // One that fails at once must not be opened in a loop.
      reopenAfter(clock.elapsed() - openedAt < REOPEN_AFTER ? REOPEN_AFTER : 0);
    });
  }
  function reopenAfter(delay: Millis): void {
    cancelRetry = clock.after(delay, () => void reopen());
  }
  async function reopen(): Promise<void> {
    try {
      const opened = await open({ address, port }, options);
      if (isStopped) {
        opened.close();
        return;
      }
      socket = opened;
      openedAt = clock.elapsed();
      isFailed = false;
      follow(opened);
      logger.warn({ address, port }, 'syslog UDP socket is open again, lines may have been lost');
    } catch (error) {
      warnOfFailure({ error: messageOf(error) });
      if (!isStopped) reopenAfter(REOPEN_AFTER);
    }
  }

  follow(socket);
  const receiveBufferBytes = grantedBuffer(socket, logger);
  const drops = watchKernelDrops(clock, { address, port }, (more) => {
    tally.dropped += more;
    logger.warn({ dropped: more }, 'kernel dropped syslog datagrams, the receive buffer was full');
  });
  return {
    address: { address, port },
    counters: () => ({ receiveBufferBytes, kernelDrops: drops.total() }),
    stop: async () => {
      await drops.stop();
      isStopped = true;
      cancelRetry();
      if (!isFailed) await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

/** @throws {Error} when the port cannot be bound */
async function open(listen: ListenAddress, { reader, logger }: UdpOptions): Promise<Socket> {
  return bindUdp(listen, (socket) => receive(socket, reader, logger));
}

/**
 * @param prepare is called before anything can arrive
 * @throws {Error} saying what to do, when the port cannot be bound
 */
export async function bindUdp(
  listen: ListenAddress,
  prepare: (socket: Socket) => void = () => undefined,
): Promise<Socket> {
  // Not reuseAddr: a second process would take a share of the datagrams without a word.
  const socket = createSocket({ type: isIPv6(listen.address) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
  prepare(socket);
  try {
    socket.bind({ address: listen.address, port: listen.port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw bindError('UDP', listen, error);
  }
}

function receive(socket: Socket, makeReader: UdpOptions['reader'], logger: IntakeLogger): void {
  const readers = new Map<string, LineSink>();
  const line: FramedLine = { bytes: Buffer.alloc(0), text: '', start: 0, end: 0, cut: false };

  function readerOf(address: string): LineSink {
    const known = readers.get(address);
    if (known !== undefined) return known;
    const made = makeReader(address);
    if (readers.size >= MAX_READERS) readers.clear();
    readers.set(address, made);
    return made;
  }

  socket.on('message', (datagram, { address }) => {
    line.bytes = datagram;
    line.text = datagram.toString('latin1');
    line.end = trimmedEnd(line.text, 0, Math.min(datagram.length, MAX_LINE_BYTES));
    if (line.end === 0) return;
    try {
      const reader = readerOf(address);
      reader.piece(line.text);
      reader.line(line);
    } catch (error) {
      logger.error({ err: error, address }, 'syslog datagram could not be read: a bug, please report it');
    }
  });
}

/** Asks what the kernel really gave, and tells when it is less than was asked for. */
function grantedBuffer(socket: Socket, logger: IntakeLogger): number {
  const granted = socket.getRecvBufferSize();
  // The kernel doubles what it grants, for its own bookkeeping (socket(7)).
  if (granted < 2 * RECEIVE_BUFFER) {
    logger.warn(
      { askedFor: RECEIVE_BUFFER, granted: Math.floor(granted / 2) },
      'syslog UDP receive buffer is smaller than asked for, bursts of lines may be lost: raise net.core.rmem_max',
    );
  }
  return granted;
}
