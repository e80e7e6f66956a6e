import type { EpochMs } from './clock.ts';

/** A certificate as it was sent, and what it says. Text fields are hostile: escape before showing, never a label. */
export interface Certificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER, colon-separated upper-case hex. */
  readonly fingerprint: string;
  /** Pin of the public key: `sha256/` and the base64 SHA-256 of the SubjectPublicKeyInfo (RFC 7469 §2.4). */
  readonly pin: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Hexadecimal, upper case. */
  readonly serial: string;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
  /** basicConstraints CA:TRUE. */
  readonly isAuthority: boolean;
  /** Object identifiers of its extended key usage (RFC 5280 §4.2.1.12); null: it has none, and may be used for all. */
  readonly extendedUsages: readonly string[] | null;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** `RSA-2048`, `EC-P-256`, `Ed25519`. */
  readonly key: string;
  /** `sha256WithRSAEncryption`; null when unknown to this OpenSSL. */
  readonly signatureAlgorithm: string | null;
}

/** A name as its attributes in order: `{ type: 'CN', value: 'fortinet-ca2' }`. Values are capped at 256 characters. */
export interface DistinguishedName {
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
}

/** The chain as the peer sent it, leaf first: at most 16 certificates are kept of a longer one. */
export interface CapturedChain {
  readonly certificates: readonly Certificate[];
  /** Certificates that could not be parsed, or came after the sixteenth. */
  readonly dropped: number;
}

/** A chain with at least its leaf. */
export type SentChain = readonly [leaf: Certificate, ...authorities: Certificate[]];

/** Null: no certificate was sent that can be read. */
export function sentChain(captured: CapturedChain | null | undefined): SentChain | null {
  const [leaf, ...authorities] = captured?.certificates ?? [];
  return leaf === undefined ? null : [leaf, ...authorities];
}

/** The same for the same certificates in the same order. */
export function chainKey(certificates: readonly Certificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint).join(' ');
}

/** Each certificate once, in the order of the first. */
export function distinctCertificates(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

export function isInDate({ notBefore, notAfter }: Certificate, now: EpochMs): boolean {
  return notBefore <= now && now <= notAfter;
}

type Chain = Pick<CapturedChain, 'certificates'> | null | undefined;

/** Whether both show the same certificate of the server; a chain without any shows none. */
export function isSameLeaf(one: Chain, other: Chain): boolean {
  const leaf = one?.certificates[0];
  return leaf !== undefined && leaf.fingerprint === other?.certificates[0]?.fingerprint;
}
