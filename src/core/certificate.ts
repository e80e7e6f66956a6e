import type { EpochMs } from './clock.ts';

/** Text fields are untrusted. Escape them before display, and never use them as labels. */
export interface Certificate {
  readonly der: Uint8Array;
  /** SHA-256 of the DER encoding, as upper-case hexadecimal bytes separated by colons. */
  readonly fingerprint: string;
  /** `sha256/` and the base64 SHA-256 hash of the SubjectPublicKeyInfo (RFC 7469 §2.4). */
  readonly pin: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Upper-case hexadecimal digits. */
  readonly serial: string;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
  readonly isAuthority: boolean;
  /** OIDs (RFC 5280 §4.2.1.12). Null if the extension is absent, which means that all uses are allowed. */
  readonly extendedUsages: readonly string[] | null;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** For example `RSA-2048`, `EC-P-256` or `Ed25519`. */
  readonly key: string;
  /** For example `sha256WithRSAEncryption`. Null if this OpenSSL version does not support the algorithm. */
  readonly signatureAlgorithm: string | null;
}

/** Ordered, for example `{ type: 'CN', value: 'fortinet-ca2' }`. Values are truncated to 256 characters. */
export interface DistinguishedName {
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
}

/** As sent by the peer, starting with the leaf. Only the first 16 certificates are kept. */
export interface CapturedChain {
  readonly certificates: readonly Certificate[];
  /** Number of certificates that could not be parsed or exceeded the limit of 16. */
  readonly dropped: number;
}

export type SentChain = readonly [leaf: Certificate, ...authorities: Certificate[]];
