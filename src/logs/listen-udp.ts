import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import ipaddr from 'ipaddr.js';
import type { ListenAddress } from '../config/schema/section.ts';
import type { Clock, Millis } from '../core/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { bindError } from './listen-tcp.ts';
import { MAX_LINE_BYTES, trimmedEnd, type FramedLine, type LineSink } from './framing.ts';
import { type IntakeLogger, createOccasionalWarning, type LineTally, type UdpCounters } from './tally.ts';
import { beat } from '../system/clock.ts';

/** The default of 208 KiB loses half of a burst of 1000 lines; this loses none of 20 000. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Senders whose reader is kept; with more (spoofed addresses) they are made again. */
const MAX_READERS = 4_096;
const REOPEN_AFTER: Millis = 5_000;

interface UdpOptions {
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

const LOOK_EVERY: Millis = 5000;

interface KernelDrops {
  /** Null where the kernel does not tell, or was not asked yet. */
  total(): number | null;
  /** Looks a last time, while the socket is still there. */
  stop(): Promise<void>;
}

/**
 * Under the process and not `/proc/net`, which is hidden where only processes are to be seen (`ProcSubset=pid` of
 * systemd).
 */
const TABLES = ['/proc/self/net/udp', '/proc/self/net/udp6'] as const;

/**
 * Datagrams that the kernel dropped at the socket bound there, because its buffer was full. Null where the kernel does
 * not tell (not Linux, /proc hidden).
 * @internal
 */
export async function readKernelDrops(bound: ListenAddress): Promise<number | null> {
  const tables = await Promise.all(TABLES.map(readTable));
  const drops = tables.flatMap((table) => (table === null ? [] : dropsInTable(table, bound, endianness())));
  return drops.length === 0 ? null : drops.reduce((sum, count) => sum + count, 0);
}

/**
 * The `drops` column, the last one, of each socket bound there (proc_net_udp in the kernel's documentation). Other
 * programs may have the same port at other addresses.
 * @internal
 */
export function dropsInTable(table: string, bound: ListenAddress, order: 'LE' | 'BE'): readonly number[] {
  const wanted = localAddress(bound, order);
  return table
    .split('\n')
    .slice(1)
    .map((row) => row.trim().split(/\s+/u))
    .filter((columns) => columns[1] === wanted)
    .map((columns) => Number(columns.at(-1)))
    .filter((count) => Number.isSafeInteger(count));
}

/** As the kernel prints it: words of four bytes, each as a number of the machine, and the port. */
function localAddress({ address, port }: ListenAddress, order: 'LE' | 'BE'): string {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  const text = (order === 'LE' ? bytes.swap32() : bytes).toString('hex');
  return `${text}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

async function readTable(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

/** Looks at the kernel's counter from time to time, and tells how much it grew. */
function watchKernelDrops(clock: Clock, bound: ListenAddress, onMore: (more: number) => void): KernelDrops {
  let seen: number | null = null;

  async function look(): Promise<void> {
    const total = await readKernelDrops(bound);
    if (total === null) return;
    const more = total - (seen ?? 0);
    seen = total;
    if (more > 0) onMore(more);
  }

  let looking = look();
  const cancel = beat(clock, LOOK_EVERY, () => {
    looking = looking.then(look);
  });
  return {
    total: () => seen,
    stop: async () => {
      cancel();
      await looking;
      await look();
    },
  };
}
