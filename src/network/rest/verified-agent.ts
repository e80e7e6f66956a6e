import { createHash, type X509Certificate } from 'node:crypto';
import { checkServerIdentity, TLSSocket, type PeerCertificate } from 'node:tls';
import type { Agent, buildConnector } from 'undici';
import { ProbeError } from '../failure.ts';
import { getaddrinfoForSockets } from '../getaddrinfo.ts';
import { readAuthorities } from '../tls/authorities.ts';

/** How the certificate of an interface is verified. Neither: under the roots that Node ships. */
export interface TlsTrust {
  /** PEM file of roots, or of the very certificate that the interface presents. */
  readonly caFile: string | null;
  /** `sha256/<base64>` of its public key (RFC 7469 §2.4): alone it stands for a chain, with `caFile` both must hold. */
  readonly pin: string | null;
}

/** Enough for one interface; more would be a burden on an appliance. */
const CONNECTIONS = 4;

/**
 * HTTP connections to one interface, over verified TLS only: nothing is sent before the peer has proved who it is.
 * The caller destroys the agent.
 * @throws {Error} when `caFile` cannot be read or holds no certificate
 */
export async function createVerifiedAgent(trust: TlsTrust): Promise<Agent> {
  // Who has no interface to read is spared its memory.
  const { Agent: NewAgent, buildConnector: createConnector } = await import('undici');
  const authorities = trust.caFile === null ? null : await readAuthorities(trust.caFile);
  const connect = createConnector({
    allowH2: false,
    lookup: getaddrinfoForSockets,
    // A resumed session shows no certificate, so there would be nothing to compare the pin with.
    maxCachedSessions: 0,
    // The time limit is the request's own, on the caller's clock.
    timeout: 0,
    ...(authorities === null ? {} : { ca: [...authorities.pems], allowPartialTrustChain: true }),
    ...(authorities === null ? {} : { checkServerIdentity: identityCheck(authorities.ders) }),
    // A pin alone replaces the chain: the key is compared below, before a byte of the request is written.
    rejectUnauthorized: trust.pin === null || authorities !== null,
  });
  return new NewAgent({
    connections: CONNECTIONS,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: trust.pin === null ? connect : pinnedConnect(connect, trust.pin),
  });
}

function pinnedConnect(connect: buildConnector.connector, pin: string): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
        return;
      }
      const mismatch = pinMismatch(socket instanceof TLSSocket ? socket : null, pin);
      if (mismatch === null) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(mismatch, null);
    });
  };
}

function pinMismatch(socket: TLSSocket | null, pin: string): Error | null {
  const certificate = socket?.getPeerX509Certificate();
  const presented = certificate === undefined ? 'no certificate' : pinOf(certificate);
  if (presented === pin) return null;
  return new ProbeError('tls', `Certificate does not match the pin: expected "${pin}", got "${presented}"`);
}

function pinOf(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}

/**
 * Appliances ship with a self-signed certificate that names neither their address nor their host. When that very
 * certificate stands in `caFile`, it is the identity, and no name is needed.
 */
function identityCheck(ders: readonly Buffer[]): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (host, certificate) =>
    ders.some((der) => der.equals(certificate.raw)) ? undefined : checkServerIdentity(host, certificate);
}
