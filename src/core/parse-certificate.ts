import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Certificate, DistinguishedName } from './certificate.ts';
import { children, type DerElement } from './der.ts';
import { parseDistinguishedName } from './distinguished-name.ts';
import { parseSubjectAltName } from './subject-alt-name.ts';

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
