import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Millis } from '../core/clock.ts';
import { localAddressFor, type Destination } from './connect.ts';
import { ProbeError, abortError, errorCode } from './failure.ts';

/** More unrelated packets than this mean that the server is broken or that packets are being spoofed. */
const MAX_FOREIGN = 64;

interface UdpExchange<T> {
  readonly server: Destination;
  readonly clock: Clock;
  readonly retransmitAfter: Millis;
  /** Creates the packet to send. Called again for the second attempt. */
  readonly packet: () => Buffer;
  /** Interprets a packet. Returns null if the packet is forged, malformed or not a reply to the query. */
  readonly read: (bytes: Buffer) => T | null;
}

/**
 * Sends a packet and waits for the first valid reply. The socket is connected and has its own port, so the kernel drops
 * packets from other senders and reports ICMP errors.
 * @throws when no valid reply arrives before the signal is aborted, or the server cannot be reached
 */
export async function exchangeUdp<T>(
  { server, clock, retransmitAfter, packet, read }: UdpExchange<T>,
  signal: AbortSignal,
): Promise<T> {
  if (signal.aborted) throw abortError(signal);
  const answer = Promise.withResolvers<T>();
  const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4');
  let foreign = 0;
  let isSent = false;
  let hasEnded = false;
  let cancelRetransmit = (): void => {};

  function end(settle: () => void): void {
    // Pending callbacks can still run after the socket is closed.
    if (hasEnded) return;
    hasEnded = true;
    cancelRetransmit();
    signal.removeEventListener('abort', onAbort);
    socket.close();
    settle();
  }
  function fail(error: unknown): void {
    end(() => answer.reject(error));
  }
  function guard(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      fail(error);
    }
  }
  function onAbort(): void {
    const error = abortError(signal);
    fail(foreign === 0 ? error : notAnAnswer(foreign, error));
  }
  function onMessage(bytes: Buffer): void {
    const reading = read(bytes);
    if (reading !== null) return end(() => answer.resolve(reading));
    foreign += 1;
    if (foreign >= MAX_FOREIGN) fail(notAnAnswer(foreign));
  }
  function send(): void {
    if (hasEnded) return;
    // Without a callback, Node discards kernel errors such as EPERM from this machine's packet filter.
    guard(() =>
      socket.send(packet(), (error) => {
        if (error === null) isSent = true;
        else fail(error);
      }),
    );
  }

  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', (error) => fail(isSent ? afterSending(error) : error));
  socket.on('message', (bytes) => guard(() => onMessage(bytes)));
  // connect() has no callback, because Node would pass the error to the callback instead of emitting it.
  socket.once('connect', () => {
    send();
    cancelRetransmit = clock.after(retransmitAfter, send);
  });
  const connect = (): void => guard(() => socket.connect(server.port, server.address));
  const localAddress = localAddressFor(server);
  if (localAddress === null) connect();
  else socket.bind({ address: localAddress, port: 0 }, connect);
  return answer.promise;
}

/** Never rejects. @returns the reason why the packet was not sent; null if it was sent */
export function sendOnce(server: Destination, packet: Buffer): Promise<Error | null> {
  return connectOnce(server, (socket, end) => socket.send(packet, end));
}

const ANY_PORT = 9;

/**
 * Connects a UDP socket, which makes the kernel look up the route without sending a packet (connect(2)). A TCP
 * connection cannot be used, because an ICMP "no route" message from a router causes the same error as a missing local
 * route.
 * @param address a literal address, because resolving a name would delay the result
 */
export async function hasRoute(address: string): Promise<boolean> {
  return (await connectOnce({ address, port: ANY_PORT }, (_, end) => end(null))) === null;
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

/** After a packet was sent, an ICMP message or a missing ARP reply means that the server is not responding. */
function afterSending(error: Error): Error {
  const code = errorCode(error);
  return code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
    ? new ProbeError('timeout', `No reply: ${error.message}`, { cause: error })
    : error;
}
