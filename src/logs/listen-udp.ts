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
import { type LineSink, passLine } from './framing.ts';
import { type IntakeLogger, createOccasionalWarning, type LineTally, type UdpCounters } from './tally.ts';
import { beat, IDLE_BEAT } from '../system/clock.ts';

/**
 * With the default size of 208 KiB, half of a burst of 1000 lines is lost. With 4 MiB, no line is lost in a burst of 20
 * 000 lines.
 */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Cached readers, one per sender. Sender addresses can be spoofed. */
const MAX_READERS = 4_096;
const REOPEN_AFTER: Millis = 5_000;

interface UdpOptions {
  readonly listen: ListenAddress;
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly tally: LineTally;
  readonly reader: (address: string) => LineSink;
  readonly onLost: (lines: number) => void;
}

export interface UdpListener {
  readonly address: ListenAddress;
  counters(): UdpCounters;
  /** Returns why the socket is closed, or null if it is open. */
  failure(): string | null;
  stop(): Promise<void>;
}

/**
 * A datagram is one line (RFC 5426 §3.1), even if it contains line breaks, so that a second line cannot be injected. If
 * the socket fails later, it is reopened on the same port.
 * @throws {Error} when the port cannot be bound
 */
export async function listenUdp(options: UdpOptions): Promise<UdpListener> {
  const { logger, clock, tally } = options;
  const warnOfFailure = createOccasionalWarning(
    options,
    'syslog-udp-not-reopened',
    'Cannot reopen the syslog UDP socket yet',
  );
  let socket = await open(options.listen, options);
  let openedAt = clock.elapsed();
  let cancelRetry = (): void => {};
  let isStopped = false;
  let failure: string | null = null;
  const { address, port } = socket.address();

  function follow(opened: Socket): void {
    opened.on('error', (error) => {
      if (isStopped || failure !== null || opened !== socket) return;
      failure = messageOf(error);
      logger.error({ event: 'syslog-udp-failed', err: error }, 'The syslog UDP socket failed and will be opened again');
      opened.close();
      // The delay prevents a busy loop if the socket fails immediately.
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
      failure = null;
      follow(opened);
      logger.warn(
        { event: 'syslog-udp-reopened', address, port },
        'The syslog UDP socket is open again, but log lines may have been lost',
      );
    } catch (error) {
      failure = messageOf(error);
      warnOfFailure({ error: failure });
      if (!isStopped) reopenAfter(REOPEN_AFTER);
    }
  }

  follow(socket);
  const receiveBufferBytes = grantedBuffer(socket, logger);
  const drops = watchKernelDrops(clock, { address, port }, (more) => {
    tally.dropped += more;
    options.onLost(more);
    logger.warn(
      { event: 'syslog-datagrams-dropped', dropped: more },
      'The kernel dropped syslog datagrams because the receive buffer was full',
    );
  });
  return {
    address: { address, port },
    counters: () => ({ receiveBufferBytes, kernelDrops: drops.total() }),
    failure: () => failure,
    stop: async () => {
      await drops.stop();
      isStopped = true;
      cancelRetry();
      if (failure === null) await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

async function open(listen: ListenAddress, { reader, logger }: UdpOptions): Promise<Socket> {
  return bindUdp(listen, (socket) => receive(socket, reader, logger));
}

/**
 * @param prepare called before any datagram can arrive
 * @throws {Error} with advice if the port cannot be bound
 */
export async function bindUdp(
  listen: ListenAddress,
  prepare: (socket: Socket) => void = () => undefined,
): Promise<Socket> {
  // reuseAddr is not set, because a second process could then bind the same port and receive some of the datagrams.
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

  function readerOf(address: string): LineSink {
    const known = readers.get(address);
    if (known !== undefined) return known;
    const made = makeReader(address);
    if (readers.size >= MAX_READERS) readers.clear();
    readers.set(address, made);
    return made;
  }

  socket.on('message', (datagram, { address }) => {
    try {
      passLine(readerOf(address), datagram, { begin: 0, end: datagram.length, broken: false });
    } catch (error) {
      logger.error(
        { event: 'syslog-data-not-processed', err: error, address },
        'Cannot process a syslog datagram because of a bug. Please report it',
      );
    }
  });
}

/** Logs a warning if the granted size is smaller than the requested size. */
function grantedBuffer(socket: Socket, logger: IntakeLogger): number {
  const granted = socket.getRecvBufferSize();
  // The kernel doubles the granted size for its own bookkeeping (socket(7)).
  if (granted < 2 * RECEIVE_BUFFER) {
    logger.warn(
      { event: 'syslog-buffer-small', askedFor: RECEIVE_BUFFER, granted: Math.floor(granted / 2) },
      'The syslog UDP receive buffer is smaller than requested, so bursts of lines may be lost; increase ' +
        'net.core.rmem_max',
    );
  }
  return granted;
}

/** Read from `/proc/self`, because systemd's `ProcSubset=pid` hides `/proc/net`. */
const TABLES = ['/proc/self/net/udp', '/proc/self/net/udp6'] as const;

/**
 * Number of datagrams that were dropped because the socket's buffer was full. Null if the kernel does not report it
 * (not Linux, or /proc is hidden). @internal
 */
export async function readKernelDrops(bound: ListenAddress): Promise<number | null> {
  const tables = await Promise.all(TABLES.map(readTable));
  const drops = tables.flatMap((table) => (table === null ? [] : dropsInTable(table, bound, endianness())));
  return drops.length === 0 ? null : drops.reduce((sum, count) => sum + count, 0);
}

/**
 * Returns the last column, `drops`, for the socket bound to this address (proc_net_udp in the kernel's documentation).
 * Other programs can use the same port with a different address. @internal
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

/**
 * The kernel prints every four bytes of an address as a hexadecimal number in the machine's byte order, followed by the
 * port.
 */
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

/** `stop` must be called before the socket is closed. */
function watchKernelDrops(clock: Clock, bound: ListenAddress, onMore: (more: number) => void) {
  let seen: number | null = null;

  async function look(): Promise<void> {
    const total = await readKernelDrops(bound);
    if (total === null) return;
    const more = total - (seen ?? 0);
    seen = total;
    if (more > 0) onMore(more);
  }

  let looking = look();
  const cancel = beat(clock, IDLE_BEAT, () => {
    looking = looking.then(look);
  });
  return {
    total: (): number | null => seen,
    stop: async (): Promise<void> => {
      cancel();
      await looking;
      await look();
    },
  };
}
