import type { EpochMs } from './clock.ts';
import { oncePer } from './once-per.ts';
import { visibleText } from './visible-text.ts';

/**
 * A certificate as it was sent, with its parsed fields. Text fields are hostile: escape them before display and never
 * use them as a label.
 */
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
  /**
   * Object identifiers of the extended key usage (RFC 5280 §4.2.1.12). Null if the extension is absent, which allows
   * all uses.
   */
  readonly extendedUsages: readonly string[] | null;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** `RSA-2048`, `EC-P-256`, `Ed25519`. */
  readonly key: string;
  /** For example `sha256WithRSAEncryption`. Null if this OpenSSL does not support it. */
  readonly signatureAlgorithm: string | null;
}

/**
 * A distinguished name as an ordered list of attributes: `{ type: 'CN', value: 'fortinet-ca2' }`. Values are cut to 256
 * characters.
 */
export interface DistinguishedName {
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
}

/** The chain as the peer sent it, leaf first. Only the first 16 certificates are kept. */
export interface CapturedChain {
  readonly certificates: readonly Certificate[];
  /** Number of certificates that could not be parsed or came after the sixteenth. */
  readonly dropped: number;
}

/** A chain with at least its leaf. */
export type SentChain = readonly [leaf: Certificate, ...authorities: Certificate[]];

/** Returns the sent chain, or null if no readable certificate was sent. */
export function sentChain(captured: CapturedChain | null | undefined): SentChain | null {
  const [leaf, ...authorities] = captured?.certificates ?? [];
  return leaf === undefined ? null : [leaf, ...authorities];
}

/** Returns a key that is equal for the same certificates in the same order. */
export function chainKey(certificates: readonly Certificate[]): string {
  return certificates.map(({ fingerprint }) => fingerprint).join(' ');
}

/** Removes duplicate certificates, keeping the first of each. */
export function distinctCertificates(certificates: readonly Certificate[]): readonly Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint, certificate])).values()];
}

export function isInDate({ notBefore, notAfter }: Certificate, now: EpochMs): boolean {
  return notBefore <= now && now <= notAfter;
}

type Chain = Pick<CapturedChain, 'certificates'> | null | undefined;

/** Reports whether both chains have the same leaf certificate. False if either chain is empty. */
export function isSameLeaf(one: Chain, other: Chain): boolean {
  const leaf = one?.certificates[0];
  return leaf !== undefined && leaf.fingerprint === other?.certificates[0]?.fingerprint;
}

const MAX_ATTRIBUTES = 64;
const MAX_VALUE = 256;

/**
 * Parses a name as Node prints it: one relative name per line, `TYPE=value`, several of one set joined with ` + `,
 * special characters escaped as in RFC 2253 §2.4. Returns at most 64 attributes with values of at most 256 characters,
 * in which control characters are made visible.
 *
 * @param text the value of `X509Certificate.subject`; undefined (an empty name) yields no attributes
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

/** Undoes RFC 2253's `\,` and `\0A`. The value is cut first, because it can be as long as the certificate. */
function unescape(value: string): string {
  return value
    .slice(0, 4 * MAX_VALUE)
    .replaceAll(/\\(?:([0-9A-F]{2})|(.))/gu, (_, hex: string | undefined, character: string | undefined) =>
      hex === undefined ? (character ?? '') : String.fromCodePoint(Number.parseInt(hex, 16)),
    );
}

/** Returns the values of one attribute type, such as `CN`, in order. */
export function attributeValues(name: DistinguishedName, type: string): readonly string[] {
  return name.attributes.filter((attribute) => attribute.type === type).map((attribute) => attribute.value);
}

/** Formats the name on one line, `C=US, O=Fortinet, CN=fortinet-ca2`, or `(empty name)`. */
export const formatDistinguishedName = oncePer(({ attributes }: DistinguishedName): string => {
  if (attributes.length === 0) return '(empty name)';
  return visibleText(attributes.map(({ type, value }) => `${type}=${value}`).join(', '), 512);
});

const MAX_SHORT = 80;

/**
 * Returns a short display name for an authority: its common name, otherwise its organization or unit. Null if it has
 * none of them. The length is limited.
 */
export const shortName = oncePer((name: DistinguishedName): string | null => {
  const [value] = ['CN', 'O', 'OU'].flatMap((type) => attributeValues(name, type)).filter((text) => text.trim() !== '');
  return value === undefined ? null : visibleText(value.trim(), MAX_SHORT);
});

/**
 * Returns a key that is equal for names that are equal under RFC 5280 §7.1, which ignores case and repeated spaces.
 * Empty for an empty name.
 */
export const distinguishedNameKey = oncePer(({ attributes }: DistinguishedName): string =>
  attributes.map(({ type, value }) => `${type}=${folded(value)}`).join('\n'),
);

/** Reports whether the names are equal under RFC 5280 §7.1. */
export function isSameName(left: DistinguishedName, right: DistinguishedName): boolean {
  return (
    left.attributes.length === right.attributes.length && distinguishedNameKey(left) === distinguishedNameKey(right)
  );
}

function folded(value: string): string {
  return value.trim().replaceAll(/\s+/gu, ' ').toLowerCase();
}
