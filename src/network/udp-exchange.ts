import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Millis } from '../core/clock.ts';
import { localAddressFor, type Destination } from './connect.ts';
import { ProbeError, abortError, errorCode } from './failure.ts';

/** If there are more unrelated packets, the server is broken or packets are being spoofed. */
const MAX_FOREIGN = 64;

interface UdpExchange<T> {
  readonly server: Destination;
  readonly clock: Clock;
  readonly retransmitAfter: Millis;
  /** Creates the packet to send. Called again for the second attempt. */
  readonly packet: () => Buffer;
  /** Interprets a packet. Returns null if the packet is forged, malformed or not a reply. */
  readonly read: (bytes: Buffer) => T | null;
}

/**
 * Sends a packet and waits for the first valid reply. The socket is connected and has its own port, so the kernel drops
 * packets from other senders and reports ICMP errors.
 * @throws when no valid reply arrives before the signal is aborted, or the server cannot be reached
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
    // connect() has no callback, because Node would pass the error to the callback instead of emitting it.
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
    // Without a callback, Node discards kernel errors such as EPERM from this machine's packet filter.
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
    // Pending callbacks can still run after the socket is closed.
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelRetransmit();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#socket.close();
    settle();
  }
}

/** Never rejects. @returns the reason why the packet was not sent; null if it was sent */
export function sendOnce(server: Destination, packet: Buffer): Promise<Error | null> {
  return connectOnce(server, (socket, end) => socket.send(packet, end));
}

/**
 * Connects a UDP socket, because the kernel then looks up the route without sending a packet (connect(2)). A TCP
 * connection cannot be used, because an ICMP "no route" message from a router causes the same error as a missing local
 * route.
 */
export async function hasRoute(address: string): Promise<boolean> {
  return (await connectOnce({ address, port: 9 }, (_, end) => end(null))) === null;
}

function connectOnce(
  { address, port }: Pick<Destination, 'address' | 'port'>,
  onConnect: (socket: Socket, end: (error: Error | null) => void) => void,
): Promise<Error | null> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    function end(error: Error | null): void {
      if (ended) return;
      ended = true;
      resolve(error);
      socket.close();
    }
    socket.on('error', end);
    socket.once('connect', () => onConnect(socket, end));
    socket.connect(port, address);
  });
}

function notAnAnswer(count: number, cause?: Error): ProbeError {
  const packets = count === 1 ? 'a packet' : `${String(count)} packets`;
  return new ProbeError('protocol', `Received ${packets} that did not answer the query, but no answer`, {
    cause,
  });
}

/** After sending, an ICMP message or a missing ARP reply means that the server does not respond. */
function afterSending(error: Error): Error {
  const code = errorCode(error);
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
    ? new ProbeError('timeout', `No reply: ${error.message}`, { cause: error })
    : error;
}
