import type { EpochMs } from './clock.ts';
import { oncePer } from './once-per.ts';
import { visibleText } from './visible-text.ts';

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

const MAX_ATTRIBUTES = 64;
const MAX_VALUE = 256;

/**
 * Reads a name as Node prints it: one relative name a line, `TYPE=value`, several of one set joined with ` + `, special
 * characters escaped as in RFC 2253 §2.4. At most 64 attributes, values of at most 256 characters with control
 * characters made visible.
 *
 * @param text what `X509Certificate.subject` gives; undefined (an empty name) gives no attributes
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

/** Undoes RFC 2253's `\,` and `\0A`. Cut first: a value may be as long as the certificate. */
function unescape(value: string): string {
  return value
    .slice(0, 4 * MAX_VALUE)
    .replaceAll(/\\(?:([0-9A-F]{2})|(.))/gu, (_, hex: string | undefined, character: string | undefined) =>
      hex === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

/** The values of one attribute type, such as `CN`, in order. */
export function attributeValues(name: DistinguishedName, type: string): readonly string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

/** As on one line, `C=US, O=Fortinet, CN=fortinet-ca2`; `(empty name)` when there is nothing in it. */
export const formatDistinguishedName = oncePer(({ attributes }: DistinguishedName): string => {
  if (attributes.length === 0) return '(empty name)';
  return visibleText(attributes.map(({ type, value }) => `${type}=${value}`).join(', '), 512);
});

const MAX_SHORT = 80;

/**
 * What a person calls an authority: its common name, else its organization or unit; null when it has none of them.
 * Bounded.
 */
export const shortName = oncePer((name: DistinguishedName): string | null => {
  const [value] = ['CN', 'O', 'OU'].flatMap((type) => attributeValues(name, type)).filter((text) => text.trim() !== '');
  return value === undefined ? null : visibleText(value.trim(), MAX_SHORT);
});

/**
 * The same for names that RFC 5280 §7.1 holds to be equal: without regard to case and repeated spaces. Empty for an
 * empty name.
 */
export const distinguishedNameKey = oncePer(({ attributes }: DistinguishedName): string =>
  attributes.map(({ type, value }) => `${type}=${folded(value)}`).join('\n'),
);

/** Whether RFC 5280 §7.1 holds them to be equal. */
export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.attributes.length === right.attributes.length && distinguishedNameKey(left) === distinguishedNameKey(right)
  );
}

function folded(value: string): string {
  return value.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}
