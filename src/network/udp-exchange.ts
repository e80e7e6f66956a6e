import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Millis } from '../core/clock.ts';
import { localAddressFor, type Destination } from './connect.ts';
import { ProbeError, abortError, errorCode } from './failure.ts';

/**
 * After more unrelated packets than this, the server is broken or under attack, and reading on would only waste CPU.
 */
const MAX_FOREIGN = 64;

interface UdpExchange<T> {
  readonly server: Destination;
  readonly clock: Clock;
  /** Time after which an unanswered packet is sent again. */
  readonly retransmitAfter: Millis;
  /** Creates the packet; called again for the repetition. */
  readonly packet: () => Buffer;
  /** Interprets a packet; null if it is forged, garbled or answers something else. */
  readonly read: (bytes: Buffer) => T | null;
}

/**
 * Sends a packet and waits for the first one that answers it. The socket is connected and has a separate port, so the
 * kernel drops packets from other senders and reports ICMP errors.
 * @throws when no valid answer came before the signal was aborted, or the server cannot be reached
 */
export async function exchangeUdp<T>(exchange: UdpExchange<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Exchange(exchange, signal).run();
}

class Exchange<T> {
  readonly #exchange: UdpExchange<T>;
  readonly #signal: AbortSignal;
  readonly #socket: Socket;
  readonly #answer = Promise.withResolvers<T>();
  #foreign = 0;
  #isSent = false;
  #hasEnded = false;
  #cancelRetransmit = (): void => {};

  constructor(exchange: UdpExchange<T>, signal: AbortSignal) {
    this.#exchange = exchange;
    this.#signal = signal;
    this.#socket = createSocket(exchange.server.address.includes(':') ? 'udp6' : 'udp4');
  }

  run(): Promise<T> {
    const { server, clock, retransmitAfter } = this.#exchange;
    const socket = this.#socket;
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    socket.on('error', (error) => this.#fail(this.#isSent ? afterSending(error) : error));
    socket.on('message', (bytes) => this.#guard(() => this.#read(bytes)));
    // Not the callback of connect(), because Node passes the error to that callback instead of emitting it.
    socket.once('connect', () => {
      this.#send();
      this.#cancelRetransmit = clock.after(retransmitAfter, () => this.#send());
    });
    const connect = (): void => this.#guard(() => socket.connect(server.port, server.address));
    const localAddress = localAddressFor(server);
    if (localAddress === null) connect();
    else socket.bind({ address: localAddress, port: 0 }, connect);
    return this.#answer.promise;
  }

  readonly #onAbort = (): void => {
    const error = abortError(this.#signal);
    this.#fail(this.#foreign === 0 ? error : notAnAnswer(this.#foreign, error));
  };

  #send(): void {
    if (this.#hasEnded) return;
    // Without a callback, Node drops a kernel error such as EPERM from this machine's packet filter.
    this.#guard(() =>
      this.#socket.send(this.#exchange.packet(), (error) => {
        if (error === null) this.#isSent = true;
        else this.#fail(error);
      }),
    );
  }

  #read(bytes: Buffer): void {
    const answer = this.#exchange.read(bytes);
    if (answer !== null) {
      this.#end(() => this.#answer.resolve(answer));
      return;
    }
    this.#foreign += 1;
    if (this.#foreign >= MAX_FOREIGN) this.#fail(notAnAnswer(this.#foreign));
  }

  /** Runs `action` in a socket callback; if it throws, the exchange fails. */
  #guard(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end(() => this.#answer.reject(error));
  }

  #end(settle: () => void): void {
    // The socket may still run callbacks that were pending when it was closed.
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelRetransmit();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#socket.close();
    settle();
  }
}

/**
 * Sends one packet without waiting for an answer.
 * @returns the reason why it was not sent; null if it was sent. Never rejects.
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
 * Converts "unreachable" errors to a time-out. The packet has left this machine, so the error (ICMP, or no ARP answer
 * on the local network) means that the server does not answer.
 */
function afterSending(error: Error): Error {
  const code = errorCode(error);
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
    ? new ProbeError('timeout', `No answer: ${error.message}`, { cause: error })
    : error;
}
