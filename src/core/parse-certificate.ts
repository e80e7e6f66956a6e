import { createHash, X509Certificate, type KeyObject } from 'node:crypto';
import {
  type Certificate,
  type DistinguishedName,
  parseDistinguishedName,
  type CapturedChain,
  formatDistinguishedName,
} from './certificate.ts';
import { visibleText } from './visible-text.ts';

/** Real certificates have 1 to 4 KiB; those with hundreds of names reach 20. */
const MAX_DER = 128 * 1024;

const MAX_USAGES = 64;

const CURVES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/** Names of key types as OpenSSL writes them, where people write them differently. */
const KEY_NAMES: ReadonlyMap<string, string> = new Map([
  ['rsa', 'RSA'],
  ['rsa-pss', 'RSA-PSS'],
  ['dsa', 'DSA'],
  ['ec', 'EC'],
  ['ed25519', 'Ed25519'],
  ['ed448', 'Ed448'],
]);

/**
 * Reads one DER certificate. Null for what is no certificate, is larger than 128 KiB, is PEM, or has anything behind
 * its end: TLS peers refuse those too. Never throws, whatever the bytes.
 */
export function parseCertificate(der: Uint8Array): Certificate | null {
  return parseWith(der, (x509) => describe(x509, new Uint8Array(der)));
}

/** The subject alone, in a third of the time. Null as there; where it is not, `parseCertificate` may still be null. */
export function parseSubject(der: Uint8Array): DistinguishedName | null {
  return parseWith(der, ({ subject }) => parseDistinguishedName(subject));
}

function parseWith<T>(der: Uint8Array, read: (x509: X509Certificate) => T | null): T | null {
  if (der.byteLength === 0 || der.byteLength > MAX_DER) return null;
  try {
    const x509 = new X509Certificate(der);
    // The constructor takes PEM and bytes after the end as well: then what was hashed would not be what was read.
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
  // Typed as always there.
  const usages: readonly string[] | undefined = x509.keyUsage;
  return usages?.slice(0, MAX_USAGES) ?? null;
}

/**
 * The fields of TBSCertificate (RFC 5280 §4.1) from the serial number on. Node does not give all of them as they stand:
 * a key that it exports is encoded again, and a pin is over the bytes that were sent.
 */
export function toBeSigned(der: Uint8Array): readonly DerElement[] {
  const fields = children(children(children(der)[0]?.contents)[0]?.contents);
  // version [0] is left out of a version 1 certificate
  return fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
}

function keyName(x509: X509Certificate): string {
  const key = publicKeyOf(x509);
  const type = key?.asymmetricKeyType ?? 'unknown';
  const details = key?.asymmetricKeyDetails ?? {};
  const name = KEY_NAMES.get(type) ?? type;
  const curve = details.namedCurve ?? 'unknown';
  if (type === 'ec') return `${name}-${CURVES.get(curve) ?? curve}`;
  return details.modulusLength === undefined ? name : `${name}-${String(details.modulusLength)}`;
}

function publicKeyOf(x509: X509Certificate): KeyObject | null {
  try {
    return x509.publicKey;
  } catch {
    // a key type that this OpenSSL does not know: the certificate can still be shown and pinned
    return null;
  }
}

/** DER of the object identifiers 2.16.840.1.101.3.4.2.1 to 3: SHA-256, SHA-384, SHA-512. */
const SHA2_PREFIX: readonly number[] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const SHA2_NAMES: readonly string[] = ['SHA256', 'SHA384', 'SHA512'];

/**
 * RSASSA-PSS keeps its hash in the parameters (RFC 4055 §3.1, SHA-1 when left out), so that its name alone says
 * nothing.
 */
function signatureName(name: string | undefined, algorithm: Uint8Array): string | null {
  if (name === undefined) return null;
  if (name !== 'rsassaPss') return name;
  const parameters = Buffer.from(algorithm);
  const found = SHA2_NAMES.find((_, index) => parameters.includes(Buffer.from([...SHA2_PREFIX, index + 1])));
  return `rsassaPss-${found ?? 'SHA1'}`;
}

/**
 * One element of a DER encoding (ITU-T X.690 §8.1): its tag, its contents and itself with header. Views, not copies.
 */
export interface DerElement {
  readonly tag: number;
  readonly contents: Uint8Array;
  readonly whole: Uint8Array;
}

/**
 * The elements that stand one after another in `bytes`. Null when the encoding is broken, has a tag of more than one
 * byte, an indefinite length (BER only), or more than `limit` elements. @internal
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

/** The elements inside of one that holds others; none where its encoding is broken or it is not there. */
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

/** The length that stands at `offset`, and where the contents begin. */
function readLength(bytes: Uint8Array, offset: number): { readonly value: number; readonly begin: number } | null {
  const first = bytes[offset];
  if (first === undefined) return null;
  if (first < 0x80) return { value: first, begin: offset + 1 };
  // Long form: the low bits say how many bytes hold the length (none: indefinite). Three of them already reach 16 MiB.
  const count = first & 0x7f;
  if (count === 0 || count > 3) return null;
  const digits = bytes.subarray(offset + 1, offset + 1 + count);
  return { value: digits.reduce((value, digit) => value * 256 + digit, 0), begin: offset + 1 + count };
}

/** Some certificates of content networks have several hundred names. */
const MAX_NAMES = 1000;
const MAX_NAME = 256;

interface AlternativeNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const DNS = 'DNS:';
const IP = 'IP Address:';

/**
 * Reads the names of a subjectAltName extension as Node prints them: `DNS:a.example, IP Address:192.0.2.1`, a name with
 * special characters in JSON quotes. Other kinds of names are left out, and so are those after the thousandth.
 */
export function parseSubjectAltName(text: string | undefined): AlternativeNames {
  const entries = splitEntries(text ?? '');
  return { dnsNames: valuesOf(entries, DNS), ipAddresses: valuesOf(entries, IP) };
}

/** Commas inside quotes do not separate: that is what the quotes are for (CVE-2021-44532). */
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

/** Parses certificates, and each one only once while it is among the most recently used. */
interface CertificateCache {
  /** As `parseCertificate`. What is no certificate is remembered too. */
  parse(der: Uint8Array): Certificate | null;
}

/**
 * A cache keyed by the SHA-256 of the DER. A server sends the same chain every time, so a handful is enough for each
 * target.
 *
 * @param capacity how many are kept; the least recently used goes first
 */
export function createCertificateCache(capacity: number): CertificateCache {
  const entries = new Map<string, Certificate | null>();
  return {
    parse(der): Certificate | null {
      const key = createHash('sha256').update(der).digest('base64');
      const known = entries.get(key);
      const certificate = known === undefined ? parseCertificate(der) : known;
      // A map keeps the order of insertion: taken out and put back in, it is the youngest.
      entries.delete(key);
      entries.set(key, certificate);
      const oldest = entries.keys().next();
      if (entries.size > capacity && oldest.done !== true) entries.delete(oldest.value);
      return certificate;
    },
  };
}

/** A certificate as PEM (RFC 7468 §5), as other people's tools read it. */
export function certificatePem(certificate: Certificate): string {
  const lines =
    Buffer.from(certificate.der)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * A chain for the firewall team: each certificate as PEM under lines that say what it is. Those lines are no PEM, and
 * tools skip them.
 */
export function chainPem(chain: CapturedChain): string {
  return chain.certificates
    .map((certificate, index) => {
      const names = [
        `subject: ${formatDistinguishedName(certificate.subject)}`,
        `issuer: ${formatDistinguishedName(certificate.issuer)}`,
      ];
      return (
        `${String(index)} ${names.join('\n  ')}\n  sha256: ${certificate.fingerprint}\n` +
        `  key: ${certificate.key}, ${certificate.pin}\n${certificatePem(certificate)}`
      );
    })
    .join('');
}
