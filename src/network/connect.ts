import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { addressFamily } from '../core/addresses.ts';
import { abortError } from './failure.ts';

/** A literal address: names are resolved before, so that no connection waits for a resolver. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  /** The local address to leave from; of the other family it cannot be used, and the kernel chooses. */
  readonly sourceAddress: string | null;
}

/**
 * Opens a TCP connection.
 * @throws the socket's error, or the signal's reason; the socket is destroyed by then
 */
export function openSocket(destination: Destination, signal: AbortSignal): Promise<Socket> {
  const localAddress = localAddressFor(destination);
  const options = {
    host: destination.address,
    port: destination.port,
    ...(localAddress === null ? {} : { localAddress }),
  };
  return whenReady(signal, () => connectTcp(options), 'connect');
}

/**
 * Performs a TLS handshake over a connected socket.
 * @throws the handshake's error, or the signal's reason; both sockets are destroyed by then
 */
export async function openTls(socket: Socket, options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  try {
    return await whenReady(signal, () => connectTls({ ...options, socket }), 'secureConnect');
  } catch (error) {
    // There is no TLS socket that would do so when the signal was aborted before, or the options are invalid.
    socket.destroy();
    throw error;
  }
}

/** `sourceAddress` where it is of the destination's family, else null. */
export function localAddressFor({ address, sourceAddress }: Omit<Destination, 'port'>): string | null {
  return sourceAddress !== null && addressFamily(sourceAddress) === addressFamily(address) ? sourceAddress : null;
}

function whenReady<S extends Socket>(
  signal: AbortSignal,
  open: () => S,
  ready: 'connect' | 'secureConnect',
): Promise<S> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = open();
    // For good: between two phases and after the last one, nobody else listens, and an unhandled error ends the process.
    socket.on('error', () => {});
    function release(): void {
      signal.removeEventListener('abort', onAbort);
      socket.off(ready, onReady);
      socket.off('error', onError);
      socket.off('close', onClose);
    }
    function onReady(): void {
      release();
      resolve(socket);
    }
    function fail(error: Error): void {
      release();
      socket.destroy();
      reject(error);
    }
    function onError(error: Error): void {
      fail(error);
    }
    function onClose(): void {
      fail(Object.assign(new Error('The connection was closed before it was ready'), { code: 'ENOTCONN' }));
    }
    function onAbort(): void {
      fail(abortError(signal));
    }
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(ready, onReady);
    socket.once('error', onError);
    socket.once('close', onClose);
  });
}
