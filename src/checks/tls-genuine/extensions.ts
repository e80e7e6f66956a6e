import type { Certificate } from '../../core/certificate.ts';
import { children } from '../../core/der.ts';
import { toBeSigned } from '../../core/parse-certificate.ts';

/** Object identifiers as they stand in DER, hexadecimal (RFC 5280 §4.2.1.1). */
const AUTHORITY_KEY_IDENTIFIER = '551d23';
/**
 * Where the revocation list is, and where the issuer's certificate and OCSP responder are (RFC 5280 §4.2.1.13 and
 * §4.2.2.1).
 */
const LOCATIONS: readonly string[] = ['551d1f', '2b06010505070101'];

const EXTENSIONS_TAG = 0xa3;
const BOOLEAN_TAG = 0x01;
const OCTET_STRING_TAG = 0x04;
const KEY_IDENTIFIER_TAG = 0x80;
const URI_TAG = 0x86;
const CONSTRUCTED = 0x20;

/** Which key the certificate says it was signed by, hexadecimal; null when it does not say. A claim, as any name is. */
export function authorityKeyIdentifier(certificate: Certificate): string | null {
  const fields = children(children(extensionOf(certificate, AUTHORITY_KEY_IDENTIFIER))[0]?.contents);
  const identifier = fields.find((field) => field.tag === KEY_IDENTIFIER_TAG);
  return identifier === undefined ? null : Buffer.from(identifier.contents).toString('hex');
}

/** The URLs at which the certificate says that its issuer and the revocation list can be had, 16 at most. */
export function locationsOf(certificate: Certificate): readonly string[] {
  return LOCATIONS.flatMap((identifier) => urisIn(extensionOf(certificate, identifier), MAX_NESTING)).slice(
    0,
    MAX_LOCATIONS,
  );
}

const MAX_LOCATIONS = 16;
/** A distribution point holds its names four elements deep. */
const MAX_NESTING = 6;

function urisIn(bytes: Uint8Array | undefined, depth: number): readonly string[] {
  if (depth === 0) return [];
  return children(bytes).flatMap(({ tag, contents }) => {
    if (tag === URI_TAG) return [Buffer.from(contents.subarray(0, 1024)).toString('latin1')];
    return (tag & CONSTRUCTED) === 0 ? [] : urisIn(contents, depth - 1);
  });
}

/**
 * id-kp-serverAuth and the two older ways to say "server gated", as OpenSSL takes them. anyExtendedKeyUsage is not
 * among them: RFC 5280 §4.2.1.12 allows a client to refuse it, and OpenSSL does.
 */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'];

/** Whether a TLS server may use the certificate. One without an extended key usage may be used for anything. */
export function isForServers({ extendedUsages }: Certificate): boolean {
  return extendedUsages === null || extendedUsages.some((usage) => SERVER_USAGES.includes(usage));
}

/** One extension of a certificate. */
export interface ExtensionValue {
  /** Object identifier as it stands in DER, hexadecimal. */
  readonly identifier: string;
  readonly critical: boolean;
  /** What its OCTET STRING holds. */
  readonly value: Uint8Array;
}

export function extensionsOf(certificate: Certificate): readonly ExtensionValue[] {
  const wrapper = toBeSigned(certificate.der).find((field) => field.tag === EXTENSIONS_TAG);
  return children(children(wrapper?.contents)[0]?.contents).flatMap((element) => {
    const [name, ...parts] = children(element.contents);
    const value = parts.find((part) => part.tag === OCTET_STRING_TAG)?.contents;
    if (name === undefined || value === undefined) return [];
    // DEFAULT FALSE: DER leaves it out, what is there and not zero is true.
    const critical = parts.some((part) => part.tag === BOOLEAN_TAG && part.contents.some((byte) => byte !== 0));
    return [{ identifier: Buffer.from(name.contents).toString('hex'), critical, value }];
  });
}

/** The contents of an extension's OCTET STRING. */
export function extensionOf(certificate: Certificate, identifier: string): Uint8Array | undefined {
  return extensionsOf(certificate).find((extension) => extension.identifier === identifier)?.value;
}
