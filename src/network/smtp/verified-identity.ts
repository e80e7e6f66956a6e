import { checkServerIdentity } from 'node:tls';
import type { ConnectionOptions, DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type { EpochMs } from '../../core/clock.ts';

/** What a handshake showed whose chain was verified. */
export interface VerifiedIdentity {
  /** null: no handshake came so far. */
  notAfter(): EpochMs | null;
  /** To be given to Node: its own check of the name, which looks at the chain in passing, for nothing. */
  readonly check: NonNullable<ConnectionOptions['checkServerIdentity']>;
}

/** A chain is longer than this only to be a burden. */
const MAX_CHAIN = 10;

export function createVerifiedIdentity(): VerifiedIdentity {
  let seen: EpochMs | null = null;
  return {
    notAfter: () => seen,
    check: (host, certificate) => {
      const ends = chainOf(certificate).map(({ valid_to: text }) => Date.parse(text));
      const earliest = Math.min(...ends);
      seen = Number.isFinite(earliest) ? earliest : null;
      return checkServerIdentity(host, certificate);
    },
  };
}

/** Without the root, which names itself as its issuer: it is this machine's, and the blackbox exporter sees none. */
function chainOf(leaf: PeerCertificate): readonly PeerCertificate[] {
  const chain = [leaf];
  let { issuerCertificate: issuer }: Partial<DetailedPeerCertificate> = leaf;
  while (issuer !== undefined && chain.length < MAX_CHAIN) {
    const { issuerCertificate: above } = issuer;
    if (above === undefined || above.fingerprint256 === issuer.fingerprint256) break;
    chain.push(issuer);
    issuer = above;
  }
  return chain;
}
