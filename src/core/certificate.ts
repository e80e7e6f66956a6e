import type { EpochMs } from './clock.ts';
import { oncePer } from './once-per.ts';
import { visibleText } from './visible-text.ts';

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

export function sentChain(captured: CapturedChain | null | undefined): SentChain | null {
  const [leaf, ...authorities] = captured?.certificates ?? [];
  return leaf === undefined ? null : [leaf, ...authorities];
}

export function chainKey(certificates: readonly Certificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint).join(' ');
}

export function distinctCertificates(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

export function isInDate({ notBefore, notAfter }: Certificate, now: EpochMs): boolean {
  return notBefore <= now && now <= notAfter;
}

type Chain = Pick<CapturedChain, 'certificates'> | null | undefined;

/** Returns false if either chain is empty. */
export function isSameLeaf(one: Chain, other: Chain): boolean {
  const leaf = one?.certificates[0];
  return leaf !== undefined && leaf.fingerprint === other?.certificates[0]?.fingerprint;
}

const MAX_ATTRIBUTES = 64;
const MAX_VALUE = 256;

/**
 * Parses the format that Node prints. Each line is one relative name, `TYPE=value`, with several attributes joined by a
 * plus sign and spaces, and escapes as in RFC 2253 §2.4. Control characters are made visible. Returns at most 64
 * attributes, each with a value of at most 256 characters.
 * @param text undefined for an empty name
 */
export function parseDistinguishedName(text: string | undefined): DistinguishedName {
  const attributes = (text ?? '')
    .split('\n', MAX_ATTRIBUTES)
    .flatMap((line) => line.split(' + '))
    .slice(0, MAX_ATTRIBUTES)
    .flatMap((part) => {
      const equals = part.indexOf('=');
      if (equals < 1) return [];
      return [
        {
          type: visibleText(part.slice(0, equals), MAX_VALUE),
          value: visibleText(unescape(part.slice(equals + 1)), MAX_VALUE),
        },
      ];
    });
  return { attributes };
}

/**
 * Decodes RFC 2253 escapes, such as `\,` and `\0A`. The value is truncated first, because it can be as long as the
 * certificate.
 */
function unescape(value: string): string {
  return value
    .slice(0, 4 * MAX_VALUE)
    .replaceAll(/\\(?:([0-9A-F]{2})|(.))/gu, (_, hex: string | undefined, character: string | undefined) =>
      hex === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

export function attributeValues(name: DistinguishedName, type: string): readonly string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

/** For example `C=US, O=Fortinet, CN=fortinet-ca2` or `(empty name)`. */
export const formatDistinguishedName = oncePer(({ attributes }: DistinguishedName): string => {
  if (attributes.length === 0) return '(empty name)';
  return visibleText(attributes.map(({ type, value }) => `${type}=${value}`).join(', '), 512);
});

const MAX_SHORT = 80;

/** The common name, the organization or the organizational unit, whichever is found first. */
export const shortName = oncePer((name: DistinguishedName): string | null => {
  const [value] = ['CN', 'O', 'OU'].flatMap((type) => attributeValues(name, type)).filter((text) => text.trim() !== '');
  return value === undefined ? null : visibleText(value.trim(), MAX_SHORT);
});

/** Short enough for two names to fit in a claim. */
const MAX_CALLED = 60;

/** As `shortName`, for a claim. */
export function called(name: DistinguishedName): string {
  const short = shortName(name);
  return short === null ? 'an authority without a name' : visibleText(short, MAX_CALLED);
}

export function inFull(...names: readonly DistinguishedName[]): readonly string[] {
  return [...new Set(names.map(formatDistinguishedName))];
}

/** Names that are equal under RFC 5280 §7.1 (ignoring case and repeated spaces) have the same key. */
export const distinguishedNameKey = oncePer(({ attributes }: DistinguishedName): string =>
  attributes.map(({ type, value }) => `${type}=${folded(value)}`).join('\n'),
);

export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.attributes.length === right.attributes.length && distinguishedNameKey(left) === distinguishedNameKey(right)
  );
}

function folded(value: string): string {
  return value.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}
