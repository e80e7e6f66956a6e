import { connect as connectTcp, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  type ConnectionOptions,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type TLSSocket,
} from 'node:tls';
import { addressFamily } from '../core/addresses.ts';
import type { DistinguishedName } from '../core/certificate.ts';
import { parseDistinguishedName } from '../tls/names.ts';
import { abortError, errorCode, ProbeError } from './failure.ts';

/** Names are resolved before connecting, so `address` is a literal IP address. */
export interface Destination {
  readonly address: string;
  readonly port: number;
  /** Ignored if the destination's address family is different. */
  readonly sourceAddress: string | null;
}

/** @throws the socket's error, or the signal's reason; the socket is destroyed in both cases */
export function openSocket(destination: Destination, signal: AbortSignal): Promise<Socket> {
  const localAddress = localAddressFor(destination);
  const options = {
    host: destination.address,
    port: destination.port,
    // Nagle's algorithm is disabled, because each request waits for the previous answer.
    noDelay: true,
    ...(localAddress === null ? {} : { localAddress }),
  };
  return whenReady(signal, () => connectTcp(options), 'connect');
}

export class UnverifiedError extends ProbeError {
  /** Error code from OpenSSL or Node, for example `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly code: string;
  readonly issuer: DistinguishedName | null;
  /** As sent by the peer, in DER format. */
  readonly chain: readonly Uint8Array[];

  constructor(
    { code, message }: { readonly code: string; readonly message: string },
    { issuer, chain }: Pick<UnverifiedError, 'issuer' | 'chain'>,
  ) {
    super('tls', message);
    this.code = code;
    this.issuer = issuer;
    this.chain = chain;
  }
}

/**
 * Verifies the peer itself, because Node does not return a certificate that failed verification.
 * @throws {UnverifiedError}, the handshake's error, or the signal's reason; in each case both sockets are destroyed
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
    // If the signal was already aborted or the options are invalid, Node does not emit an error on the raw socket.
    socket.destroy();
    throw error;
  });
  if (opened.authorized) return opened;
  const issuer = opened.getPeerX509Certificate()?.issuer;
  const chain = peerChain(opened.getPeerCertificate(true)).map(({ raw }) => raw);
  opened.on('error', () => {}).destroy();
  // Node's type declarations say that `authorizationError` is an Error, but it is a string with the error code.
  const code = errorCode(misnamed) ?? String(opened.authorizationError);
  throw new UnverifiedError(
    { code, message: misnamed?.message ?? `Certificate verification failed: ${REFUSALS.get(code) ?? code}` },
    { issuer: issuer === undefined ? null : parseDistinguishedName(issuer), chain },
  );
}

const MAX_CHAIN = 10;

/** Returns the leaf and its issuers. Node adds trusted issuers that the peer did not send, such as the root. */
export function peerChain(leaf: PeerCertificate): readonly PeerCertificate[] {
  const chain = [leaf];
  let { issuerCertificate: issuer }: Partial<DetailedPeerCertificate> = leaf;
  while (issuer !== undefined && issuer.fingerprint256 !== chain.at(-1)?.fingerprint256 && chain.length < MAX_CHAIN) {
    chain.push(issuer);
    ({ issuerCertificate: issuer } = issuer);
  }
  return chain;
}

/** Node's own messages are not used, because they recommend Node options. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'the certificate has expired'],
  ['CERT_NOT_YET_VALID', 'the certificate is not valid yet'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'the root certificate is not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'the issuer is unknown'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'the issuer is unknown'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'the issuer is unknown'],
]);

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
    function fail(error: Error): void {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    }
    function onAbort(): void {
      fail(abortError(signal));
    }
    function onClose(): void {
      fail(Object.assign(new Error('The connection was closed before it was established'), { code: 'ENOTCONN' }));
    }
    signal.addEventListener('abort', onAbort, { once: true });
    // This listener is never removed, because at times it is the socket's only error listener, and an unhandled error
    // would terminate the process.
    socket.on('error', fail);
    socket.once('close', onClose);
    socket.once(ready, () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
      resolve(socket);
    });
  });
}
