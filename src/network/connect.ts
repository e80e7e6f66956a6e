import { connect as connectTcp, type Socket, isIP } from 'node:net';
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { createSocket } from 'node:dgram';
import { addressFamily } from '../core/addresses.ts';
import { type DistinguishedName, parseDistinguishedName } from '../core/certificate.ts';
import { abortError, errorCode, ProbeError } from './failure.ts';

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

/** The peer's certificate does not verify. */
export class UnverifiedError extends ProbeError {
  /** As OpenSSL and Node call it: `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly code: string;
  /** The issuer that the peer's certificate names; null: there is none that can be read. */
  readonly issuer: DistinguishedName | null;

  constructor(code: string, issuer: DistinguishedName | null, message: string) {
    super('tls', message);
    this.code = code;
    this.issuer = issuer;
  }
}

/**
 * Performs a TLS handshake over a connected socket and verifies the peer. Node would do that too, but it says what the
 * peer is only when it is fine.
 * @throws {UnverifiedError}, the handshake's error, or the signal's reason; both sockets are destroyed by then
 */
export async function openTls(socket: Socket, options: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { checkServerIdentity: check = checkServerIdentity } = options;
  let misnamed: Error | undefined;
  const verifying: ConnectionOptions = {
    ...options,
    socket,
    rejectUnauthorized: false,
    checkServerIdentity: (host, certificate) => {
      misnamed = check(host, certificate);
      return misnamed;
    },
  };
  const opened = await whenReady(signal, () => connectTls(verifying), 'secureConnect').catch((error: unknown) => {
    // It has no error of its own when the signal was aborted before, or the options are refused.
    socket.destroy();
    throw error;
  });
  if (opened.authorized) return opened;
  const issuer = opened.getPeerX509Certificate()?.issuer;
  opened.on('error', () => {}).destroy();
  // Typed as an error, it is the code of one.
  const code = errorCode(misnamed) ?? String(opened.authorizationError);
  throw new UnverifiedError(
    code,
    issuer === undefined ? null : parseDistinguishedName(issuer),
    misnamed?.message ?? `The certificate does not verify: ${REFUSALS.get(code) ?? code}`,
  );
}

/** What a person reads; Node's own texts advise options of Node. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'it has expired'],
  ['CERT_NOT_YET_VALID', 'it is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'it is self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its root is not trusted here'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its issuer is not known here'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its issuer is not known here'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its issuer is not known here'],
]);

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

/**
 * Whether this machine has a route to an address. A UDP socket is connected, which asks the kernel's routing table and
 * sends nothing (connect(2)). A router that answers "no route" by ICMP fails a TCP connection with the same error as a
 * route that is missing here.
 *
 * @param address a literal one: a name would wait for a resolver
 */
export function hasRoute(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    let ended = false;
    function end(has: boolean): void {
      if (ended) return;
      ended = true;
      resolve(has);
      socket.close();
    }
    socket.on('error', () => end(false));
    socket.once('connect', () => end(true));
    // Any port: nothing is sent.
    socket.connect(9, address);
  });
}
