import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { ListenAddress } from '../../config/schema/host-port.ts';
import type { Clock } from '../../core/clock.ts';
import { bindError } from './bind-error.ts';
import { MAX_LINE_BYTES, trimmedEnd, type FramedLine, type LineSink } from './framing.ts';
import { watchKernelDrops } from './kernel-drops.ts';
import type { IntakeLogger } from './logger.ts';
import type { LineTally, UdpCounters } from './tally.ts';

/** The default of 208 KiB loses half of a burst of 1000 lines; this loses none of 20 000. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Senders whose reader is kept; with more (spoofed addresses) they are made again. */
const MAX_READERS = 4_096;

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
 * second one.
 * @throws {Error} when the port cannot be bound
 */
export async function listenUdp(options: UdpOptions): Promise<UdpListener> {
  const { listen, logger, clock, tally } = options;
  // Not reuseAddr: a second process would take a share of the datagrams without a word.
  const socket = createSocket({ type: isIPv6(listen.address) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
  receive(socket, options.reader);
  try {
    socket.bind({ address: listen.address, port: listen.port, exclusive: true });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw bindError('UDP', listen, error);
  }
  socket.on('error', (error) => {
    logger.error({ err: error }, 'syslog UDP socket failed');
  });
  const receiveBufferBytes = grantedBuffer(socket, logger);
  const { address, port } = socket.address();
  const drops = watchKernelDrops(clock, { address, port }, (more) => {
    tally.dropped += more;
    logger.warn({ dropped: more }, 'kernel dropped syslog datagrams, the receive buffer was full');
  });
  return {
    address: { address, port },
    counters: () => ({ receiveBufferBytes, kernelDrops: drops.total() }),
    stop: async () => {
      await drops.stop();
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

function receive(socket: Socket, makeReader: UdpOptions['reader']): void {
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
    const reader = readerOf(address);
    reader.piece(line.text);
    reader.line(line);
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
