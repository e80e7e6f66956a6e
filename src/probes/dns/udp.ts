import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Clock, Millis } from '../../core/clock.ts';
import { localAddressFor } from '../connect.ts';
import type { Destination } from '../connect.ts';
import { ProbeError, abortError, errorCode } from '../failure.ts';
import { readReply } from './message.ts';
import type { DnsQuery, DnsReading } from './message.ts';

/** A lost packet is repeated once, as stub resolvers do; glibc waits 5 s for it, which would be a whole round. */
const RETRANSMIT_AFTER: Millis = 1000;

/** More packets than these that are no answer to the question are an attack or a broken server; reading on would only burn CPU. */
const MAX_FOREIGN = 64;

export type BelievableReading = Exclude<DnsReading, { kind: 'foreign' }>;

export interface UdpExchange {
  readonly server: Destination;
  readonly query: DnsQuery;
  readonly clock: Clock;
  /** Called for each packet that goes out. */
  readonly onSend: () => void;
}

/**
 * Asks over UDP and waits for the first packet that answers the question. The socket is connected and has a port of its
 * own, so the kernel drops what others send and reports ICMP errors.
 * @throws when nothing believable came until the signal was aborted, or the server cannot be reached
 */
export function exchangeUdp(exchange: UdpExchange, signal: AbortSignal): Promise<BelievableReading> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { server, query, clock, onSend } = exchange;
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let foreign = 0;
    let sent = false;
    let cancelRetransmit = (): void => {};

    function finish(): void {
      cancelRetransmit();
      signal.removeEventListener('abort', onAbort);
      socket.close();
    }
    function fail(error: Error): void {
      finish();
      reject(error);
    }
    function onAbort(): void {
      const reason = abortError(signal);
      fail(foreign === 0 ? reason : notAnAnswer(foreign, reason));
    }
    function send(): void {
      sent = true;
      onSend();
      socket.send(query.bytes);
    }

    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => {
      fail(sent ? afterSending(error) : error);
    });
    socket.on('message', (bytes) => {
      const reading = readReply(bytes, query);
      if (reading.kind !== 'foreign') {
        finish();
        resolve(reading);
        return;
      }
      foreign += 1;
      if (foreign >= MAX_FOREIGN) fail(notAnAnswer(foreign));
    });
    bindAndConnect(socket, server, () => {
      send();
      cancelRetransmit = clock.after(RETRANSMIT_AFTER, send);
    });
  });
}

function bindAndConnect(socket: Socket, server: Destination, ready: () => void): void {
  const localAddress = localAddressFor(server);
  function connect(): void {
    socket.connect(server.port, server.address, ready);
  }
  if (localAddress === null) connect();
  else socket.bind({ address: localAddress, port: 0 }, connect);
}

function notAnAnswer(count: number, cause?: Error): ProbeError {
  const packets = count === 1 ? 'a packet' : `${String(count)} packets`;
  return new ProbeError('protocol', `Received ${packets} that did not answer the question, and nothing else`, { cause });
}

/**
 * The packet found a way out of this machine, so an "unreachable" that comes back (ICMP, or no ARP answer on the local
 * network) is about the server: it does not answer.
 */
function afterSending(error: Error): Error {
  const code = errorCode(error);
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
    ? new ProbeError('timeout', `No answer: ${error.message}`, { cause: error })
    : error;
}
