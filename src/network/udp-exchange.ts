import { createSocket } from 'node:dgram';
import type { Clock, Millis } from '../core/clock.ts';
import { localAddressFor, type Destination } from './connect.ts';
import { ProbeError, abortError, errorCode } from './failure.ts';

/**
 * More packets than these that answer something else are an attack or a broken server; reading on would only burn CPU.
 */
const MAX_FOREIGN = 64;

export interface UdpExchange<T> {
  readonly server: Destination;
  readonly clock: Clock;
  /** A packet that is not answered is sent once more after this time. */
  readonly retransmitAfter: Millis;
  /** The packet to send; called again for the repetition. */
  readonly packet: () => Buffer;
  /** What a packet says; null: it is forged, garbled or answers something else, and is not to be believed. */
  readonly read: (bytes: Buffer) => T | null;
}

/**
 * Sends a packet and waits for the first one that answers it. The socket is connected and has a port of its own, so the
 * kernel drops what others send and reports ICMP errors.
 * @throws when nothing believable came until the signal was aborted, or the server cannot be reached
 */
export function exchangeUdp<T>(exchange: UdpExchange<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { server, clock } = exchange;
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let foreign = 0;
    let sent = false;
    let ended = false;
    let cancelRetransmit = (): void => {};

    function finish(settle: () => void): void {
      // The socket may still call back for what was under way when it was closed.
      if (ended) return;
      ended = true;
      cancelRetransmit();
      signal.removeEventListener('abort', onAbort);
      socket.close();
      settle();
    }
    function fail(error: unknown): void {
      finish(() => reject(error));
    }
    function onAbort(): void {
      fail(foreign === 0 ? abortError(signal) : notAnAnswer(foreign, abortError(signal)));
    }
    function onMessage(bytes: Buffer): void {
      const answer = exchange.read(bytes);
      if (answer !== null) {
        finish(() => resolve(answer));
        return;
      }
      foreign += 1;
      if (foreign >= MAX_FOREIGN) fail(notAnAnswer(foreign));
    }
    function send(): void {
      if (ended) return;
      // Without a callback, Node drops an error of the kernel, such as EPERM from this machine's own packet filter.
      socket.send(exchange.packet(), (error) => {
        if (error === null) sent = true;
        else fail(error);
      });
    }
    /** Whatever is thrown in a callback of the socket fails the exchange. */
    function guarded<A extends readonly unknown[]>(callback: (...args: A) => void): (...args: A) => void {
      return (...args) => {
        try {
          callback(...args);
        } catch (error) {
          fail(error);
        }
      };
    }
    const connect = guarded(() => socket.connect(server.port, server.address));

    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => fail(sent ? afterSending(error) : error));
    socket.on('message', guarded(onMessage));
    // Not the callback of connect(): Node hands that the error, and emits none.
    socket.once(
      'connect',
      guarded(() => {
        send();
        cancelRetransmit = clock.after(exchange.retransmitAfter, guarded(send));
      }),
    );
    const localAddress = localAddressFor(server);
    if (localAddress === null) connect();
    else socket.bind({ address: localAddress, port: 0 }, connect);
  });
}

/**
 * Sends one packet and waits for no answer.
 * @returns why it did not leave this machine; null when it did. Never rejects.
 */
export function sendOnce(server: Destination, packet: Buffer): Promise<Error | null> {
  return new Promise((resolve) => {
    const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    function end(error: Error | null): void {
      if (ended) return;
      ended = true;
      resolve(error);
      socket.close();
    }
    socket.on('error', end);
    socket.once('connect', () => socket.send(packet, (error) => end(error)));
    socket.connect(server.port, server.address);
  });
}

function notAnAnswer(count: number, cause?: Error): ProbeError {
  const packets = count === 1 ? 'a packet' : `${String(count)} packets`;
  return new ProbeError('protocol', `Received ${packets} that did not answer the question, and nothing else`, {
    cause,
  });
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
