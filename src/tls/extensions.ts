import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Certificate } from '../core/certificate.ts';
import { attributeValues } from './names.ts';
import { children, toBeSigned } from './parse-certificate.ts';
import { plainName } from '../core/addresses.ts';

/** Object identifiers of certificate extensions (RFC 5280 §4.2.1.1), in DER as hexadecimal text. */
const AUTHORITY_KEY_IDENTIFIER = '551d23';
/** URLs of revocation lists, issuer certificates and OCSP responders (RFC 5280 §4.2.1.13 and §4.2.2.1). */
const LOCATIONS: readonly string[] = ['551d1f', '2b06010505070101'];

const EXTENSIONS_TAG = 0xa3;
const OCTET_STRING_TAG = 0x04;
const KEY_IDENTIFIER_TAG = 0x80;
const URI_TAG = 0x86;
const CONSTRUCTED = 0x20;

/** The identifier is only a claim about the signing key and has not been verified. */
export function authorityKeyIdentifier(certificate: Certificate): string | null {
  const fields = children(children(extensionOf(certificate, AUTHORITY_KEY_IDENTIFIER))[0]?.contents);
  const identifier = fields.find((field) => field.tag === KEY_IDENTIFIER_TAG);
  return identifier === undefined ? null : Buffer.from(identifier.contents).toString('hex');
}

export function locationsOf(certificate: Certificate): readonly string[] {
  return LOCATIONS.flatMap((identifier) => urisIn(extensionOf(certificate, identifier), MAX_NESTING)).slice(
    0,
    MAX_LOCATIONS,
  );
}

const MAX_LOCATIONS = 16;
/** Maximum nesting depth when searching for URLs. A distribution point contains its names four levels deep. */
const MAX_NESTING = 6;

function urisIn(bytes: Uint8Array | undefined, depth: number): readonly string[] {
  if (depth === 0) return [];
  return children(bytes).flatMap(({ tag, contents }) => {
    if (tag === URI_TAG) return [Buffer.from(contents.subarray(0, 1024)).toString('latin1')];
    return (tag & CONSTRUCTED) === 0 ? [] : urisIn(contents, depth - 1);
  });
}

/**
 * id-kp-serverAuth and two older "server gated" usages that OpenSSL also accepts. anyExtendedKeyUsage is not included,
 * because RFC 5280 §4.2.1.12 allows clients to reject it, and OpenSSL does.
 */
const SERVER_USAGES: readonly string[] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1'];

/** If the extension is absent, all uses are allowed. */
export function isForServers({ extendedUsages }: Certificate): boolean {
  return extendedUsages === null || extendedUsages.some((usage) => SERVER_USAGES.includes(usage));
}

function extensionOf(certificate: Certificate, identifier: string): Uint8Array | undefined {
  const wrapper = toBeSigned(certificate.der).find((field) => field.tag === EXTENSIONS_TAG);
  const extensions = children(children(wrapper?.contents)[0]?.contents).map(({ contents }) => children(contents));
  const found = extensions.find(([name]) => Buffer.from(name?.contents ?? []).toString('hex') === identifier);
  return found?.find(({ tag }) => tag === OCTET_STRING_TAG)?.contents;
}

const NAME_CONSTRAINTS = '551d1e';
const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;
const DNS_NAME_TAG = 0x82;

/** Some public authorities are limited to the domains of one company (RFC 5280 §4.2.1.10). */
export function maySignFor(authority: Certificate, host: string): boolean {
  const constraints = children(children(extensionOf(authority, NAME_CONSTRAINTS))[0]?.contents);
  const basesIn = (list: number): readonly string[] =>
    children(constraints.find(({ tag }) => tag === list)?.contents)
      .flatMap(({ contents }) => children(contents).slice(0, 1))
      .filter(({ tag }) => tag === DNS_NAME_TAG)
      .map(({ contents }) => Buffer.from(contents).toString('latin1').toLowerCase());
  const [permitted, excluded] = [basesIn(PERMITTED_TAG), basesIn(EXCLUDED_TAG)];
  const isUnder = (base: string): boolean => isHostUnder(host.toLowerCase(), base);
  return (permitted.length === 0 || permitted.some(isUnder)) && !excluded.some(isUnder);
}

/** A base with a leading dot covers only names below it. */
function isHostUnder(host: string, base: string): boolean {
  if (base === '' || host === base) return true;
  return host.endsWith(base.startsWith('.') ? base : `.${base}`);
}

/** Other names in a certificate, for example with escapes or spaces, or only `*`, never match a host. */
const HOST_PATTERN = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,62})\.)*[a-z0-9_][a-z0-9_-]{0,62}$/u;

/**
 * Returns whether the certificate is valid for this host name or address (RFC 9525 §6). The subjectAltName must contain
 * a matching dNSName or iPAddress, where `*` stands for exactly the left-most label, followed by at least two more
 * labels. If `commonName` is set, the subject's CN is used if there is no dNSName. RFC 9525 no longer allows this, but
 * private authorities may still use it.
 */
export function matchesName(
  certificate: Certificate,
  name: string,
  options: { readonly commonName: boolean },
): boolean {
  const wanted = plainName(name);
  if (isIP(wanted) !== 0) return certificate.ipAddresses.some((address) => sameAddress(address, wanted));
  if (certificate.dnsNames.length > 0 || !options.commonName)
    return certificate.dnsNames.some((pattern) => matchesPattern(pattern, wanted));
  return attributeValues(certificate.subject, 'CN').some((pattern) => matchesPattern(pattern, wanted));
}

function matchesPattern(pattern: string, name: string): boolean {
  const wanted = plainName(pattern);
  if (!HOST_PATTERN.test(wanted)) return false;
  if (!wanted.startsWith('*.')) return wanted === name;
  const parent = wanted.slice(2);
  const dot = name.indexOf('.');
  return dot > 0 && parent.includes('.') && name.slice(dot + 1) === parent;
}

/** @param wanted a valid address; `claimed` can be any text */
function sameAddress(claimed: string, wanted: string): boolean {
  return isIP(claimed) !== 0 && ipaddr.process(claimed).toString() === ipaddr.process(wanted).toString();
}

/** Hosts with the same last two labels are assumed to have the same owner. */
export function areRelatedHosts(left: string, right: string): boolean {
  if (plainName(left) === plainName(right)) return true;
  // A host name can never end like an address, so checking `left` is sufficient.
  if (isIP(left) !== 0) return false;
  return domainOf(left) === domainOf(right);
}

function domainOf(host: string): string {
  return plainName(host).split('.').slice(-2).join('.');
}
