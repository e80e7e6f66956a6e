import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import type { Certificate, DistinguishedName } from '../core/certificate.ts';
import { parseDistinguishedName } from './names.ts';
import { visibleText } from '../core/visible-text.ts';

/** Typical certificates are 1 to 4 KiB in size, and certificates with hundreds of names are up to 20 KiB. */
const MAX_DER = 128 * 1024;

const MAX_USAGES = 64;

/**
 * Nearly every RSA key has the exponent 65537. OpenSSL also accepts exponents as long as the modulus, which make each
 * verification up to a hundred times slower.
 */
const MAX_EXPONENT_BITS = 64;

const CURVES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

const KEY_NAMES: ReadonlyMap<string, string> = new Map([
  ['rsa', 'RSA'],
  ['rsa-pss', 'RSA-PSS'],
  ['dsa', 'DSA'],
  ['ec', 'EC'],
  ['ed25519', 'Ed25519'],
  ['ed448', 'Ed448'],
]);

/**
 * Returns null if the bytes exceed 128 KiB, are PEM, or have trailing data, which TLS peers also reject. Never throws.
 */
export function parseCertificate(der: Uint8Array): Certificate | null {
  return parseWith(der, (x509) => describe(x509, new Uint8Array(der)));
}

/**
 * Takes a third of the time that `parseCertificate` takes, and may return a subject when `parseCertificate` returns
 * null.
 */
export function parseSubject(der: Uint8Array): DistinguishedName | null {
  return parseWith(der, ({ subject }) => parseDistinguishedName(subject));
}

function parseWith<T>(der: Uint8Array, read: (x509: X509Certificate) => T | null): T | null {
  if (der.byteLength === 0 || der.byteLength > MAX_DER) return null;
  try {
    const x509 = new X509Certificate(der);
    // The `X509Certificate` constructor also accepts PEM and trailing bytes. For such input, the fingerprint would not
    // match the parsed certificate.
    return x509.raw.equals(der) ? read(x509) : null;
  } catch {
    return null;
  }
}

function describe(x509: X509Certificate, der: Uint8Array): Certificate | null {
  const [, algorithm, , , , publicKey] = toBeSigned(der);
  const notBefore = x509.validFromDate.getTime();
  const notAfter = x509.validToDate.getTime();
  if (algorithm === undefined || publicKey === undefined) return null;
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return null;
  return {
    der,
    fingerprint: x509.fingerprint256,
    pin: `sha256/${createHash('sha256').update(publicKey.whole).digest('base64')}`,
    subject: parseDistinguishedName(x509.subject),
    issuer: parseDistinguishedName(x509.issuer),
    serial: x509.serialNumber.toUpperCase().slice(0, 64),
    notBefore,
    notAfter,
    isAuthority: x509.ca,
    extendedUsages: usagesOf(x509),
    ...parseSubjectAltName(x509.subjectAltName),
    key: keyName(x509),
    signatureAlgorithm: signatureName(x509.signatureAlgorithm, algorithm.contents),
  };
}

function usagesOf(x509: X509Certificate): readonly string[] | null {
  // The type declaration says that the value is always set, but it can be undefined.
  const usages: readonly string[] | undefined = x509.keyUsage;
  return usages?.slice(0, MAX_USAGES) ?? null;
}

/**
 * Returns the fields of TBSCertificate (RFC 5280 §4.1), starting with the serial number. Node re-encodes exported keys,
 * but a pin is calculated from the bytes that were sent.
 */
export function toBeSigned(der: Uint8Array): readonly DerElement[] {
  const fields = children(children(children(der)[0]?.contents)[0]?.contents);
  // The field version [0] is absent in version 1 certificates.
  return fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
}

function keyName(x509: X509Certificate): string {
  const key = publicKeyOf(x509);
  const type = key?.asymmetricKeyType ?? 'unknown';
  const details = key?.asymmetricKeyDetails ?? {};
  const name = KEY_NAMES.get(type) ?? type;
  const curve = details.namedCurve ?? 'unknown';
  if (type === 'ec') return `${name}-${CURVES.get(curve) ?? curve}`;
  if (details.modulusLength === undefined) return name;
  const sized = `${name}-${String(details.modulusLength)}`;
  const exponentBits = details.publicExponent?.toString(2).length ?? 0;
  return exponentBits > MAX_EXPONENT_BITS ? `${sized} with a ${String(exponentBits)}-bit exponent` : sized;
}

function publicKeyOf(x509: X509Certificate): KeyObject | null {
  try {
    return x509.publicKey;
  } catch {
    // OpenSSL does not support this key type. The certificate can still be displayed and pinned.
    return null;
  }
}

/** 2.16.840.1.101.3.4.2.1 to 2.16.840.1.101.3.4.2.3 (SHA-256, SHA-384, SHA-512) */
const SHA2_PREFIX: readonly number[] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const SHA2_NAMES: readonly string[] = ['SHA256', 'SHA384', 'SHA512'];

/** RSASSA-PSS specifies its hash in the parameters (RFC 4055 §3.1). SHA-1 is used if they are absent. */
function signatureName(name: string | undefined, algorithm: Uint8Array): string | null {
  if (name === undefined) return null;
  if (name !== 'rsassaPss') return name;
  const parameters = Buffer.from(algorithm);
  const found = SHA2_NAMES.find((_, index) => parameters.includes(Buffer.from([...SHA2_PREFIX, index + 1])));
  return `rsassaPss-${found ?? 'SHA1'}`;
}

/** ITU-T X.690 §8.1. `whole` includes the header. The arrays are views, not copies. */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  readonly whole: Uint8Array;
}

/**
 * Returns null if the encoding is invalid, a tag has more than one byte, a length is indefinite (BER only), or there
 * are more than `limit` elements. @internal
 */
export function readDer(bytes: Uint8Array, limit = 64): readonly DerElement[] | null {
  const elements: DerElement[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = elements.length < limit ? readElement(bytes, offset) : null;
    if (element === null) return null;
    elements.push(element);
    offset += element.whole.length;
  }
  return elements;
}

/** Empty if the encoding is invalid. */
export function children(bytes: Uint8Array | undefined): readonly DerElement[] {
  return bytes === undefined ? [] : (readDer(bytes, 1024) ?? []);
}

function readElement(bytes: Uint8Array, start: number): DerElement | null {
  const tag = bytes[start] ?? 0;
  const length = readLength(bytes, start + 1);
  if (length === null || (tag & 0x1f) === 0x1f) return null;
  const end = length.begin + length.value;
  if (end > bytes.length) return null;
  return { tag, contents: bytes.subarray(length.begin, end), whole: bytes.subarray(start, end) };
}

function readLength(bytes: Uint8Array, offset: number): { readonly value: number; readonly begin: number } | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, begin: offset + 1 };
  // In the long form, the low bits are the number of length bytes. Zero means an indefinite length. Three bytes are
  // sufficient for 16 MiB.
  const count = first & 0x7f;
  if (count === 0 || count > 3) return null;
  const digits = bytes.subarray(offset + 1, offset + 1 + count);
  return { value: digits.reduce((value, digit) => value * 256 + digit, 0), begin: offset + 1 + count };
}

/** Content delivery networks use certificates with several hundred names. */
const MAX_NAMES = 1000;
const MAX_NAME = 256;

interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const DNS = 'DNS:';
const IP = 'IP Address:';

/**
 * Parses the format that Node prints, for example `DNS:a.example, IP Address:192.0.2.1`. Names with special characters
 * are JSON strings. Other kinds of names are skipped.
 */
export function parseSubjectAltName(text: string | undefined): AlternativeNames {
  const entries = splitEntries(text ?? '');
  return { dnsNames: valuesOf(entries, DNS), ipAddresses: valuesOf(entries, IP) };
}

/** Commas inside quotes are not separators. Node added the quotes to fix CVE-2021-44532. */
function splitEntries(text: string): readonly string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/gu) ?? []).slice(0, MAX_NAMES).map((entry) => entry.trim());
}

function valuesOf(entries: readonly string[], prefix: string): readonly string[] {
  return entries
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => visibleText(unquote(entry.slice(prefix.length)), MAX_NAME));
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'string' ? parsed : value;
  } catch {
    return value;
  }
}

interface CertificateCache {
  /** Null results are also cached. */
  parse(der: Uint8Array): Certificate | null;
}

/**
 * A server usually sends the same chain, so a few entries per target are sufficient. The least recently used entry is
 * evicted first.
 */
export function createCertificateCache(capacity: number): CertificateCache {
  const entries = new Map<string, Certificate | null>();
  return {
    parse(der): Certificate | null {
      const key = createHash('sha256').update(der).digest('base64');
      const known = entries.get(key);
      const certificate = known === undefined ? parseCertificate(der) : known;
      // A map preserves insertion order, so a reinserted entry becomes the most recent one.
      entries.delete(key);
      entries.set(key, certificate);
      const oldest = entries.keys().next();
      if (entries.size > capacity && oldest.done !== true) entries.delete(oldest.value);
      return certificate;
    },
  };
}
