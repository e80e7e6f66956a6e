import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type Certificate, attributeValues } from '../core/certificate.ts';
import { children, toBeSigned, type DerElement } from '../core/parse-certificate.ts';
import { plainName } from '../core/addresses.ts';

/** Object identifiers of certificate extensions (RFC 5280 §4.2.1.1), in DER as hexadecimal text. */
const AUTHORITY_KEY_IDENTIFIER = '551d23';
/** URLs of revocation lists, issuer certificates and OCSP responders (RFC 5280 §4.2.1.13 and §4.2.2.1). */
const LOCATIONS: readonly string[] = ['551d1f', '2b06010505070101'];

const EXTENSIONS_TAG = 0xa3;
const BOOLEAN_TAG = 0x01;
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

interface ExtensionValue {
  readonly identifier: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

export function extensionsOf(certificate: Certificate): readonly ExtensionValue[] {
  const wrapper = toBeSigned(certificate.der).find((field) => field.tag === EXTENSIONS_TAG);
  return children(children(wrapper?.contents)[0]?.contents).flatMap((element) => {
    const [name, ...parts] = children(element.contents);
    const value = parts.find((part) => part.tag === OCTET_STRING_TAG)?.contents;
    if (name === undefined || value === undefined) return [];
    // The field is absent if the value is the default FALSE. Any nonzero value means TRUE.
    const critical = parts.some((part) => part.tag === BOOLEAN_TAG && part.contents.some((byte) => byte !== 0));
    return [{ identifier: Buffer.from(name.contents).toString('hex'), critical, value }];
  });
}

export function extensionOf(certificate: Certificate, identifier: string): Uint8Array | undefined {
  return extensionsOf(certificate).find((extension) => extension.identifier === identifier)?.value;
}

const NAME_CONSTRAINTS = '551d1e';
const SUBJECT_ALT_NAME = '551d11';
const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;
const EMAIL_TAG = 0x81;
const DNS_NAME_TAG = 0x82;
const IP_ADDRESS_TAG = 0x87;
const DIRECTORY_NAME_TAG = 0xa4;
const COMMON_NAME = '550403';
const EMAIL_ADDRESS = '2a864886f70d010901';
const IA5_STRING_TAG = 0x16;
const NONE = new Uint8Array();

/**
 * Returns whether the authority's name constraints allow this certificate (RFC 5280 §4.2.1.10). Every name of a
 * constrained type must be permitted and must not be excluded. Names are compared as in OpenSSL. If a constraint has a
 * type that OpenSSL cannot compare, the certificate is rejected.
 */
export function mayNamesBe(authority: Certificate, certificate: Certificate, isLeaf: boolean): boolean {
  return mayBe(authority, () => namesOf(certificate, isLeaf));
}

/** Some public authorities are limited to the domains of one company. */
export function maySignFor(authority: Certificate, host: string): boolean {
  return mayBe(authority, () => [hostName(host)]);
}

function mayBe(authority: Certificate, names: () => readonly Name[]): boolean {
  const constraints = children(children(extensionOf(authority, NAME_CONSTRAINTS))[0]?.contents);
  if (constraints.length === 0) return true;
  const permitted = subtrees(constraints, PERMITTED_TAG);
  const excluded = subtrees(constraints, EXCLUDED_TAG);
  return names().every((name) => {
    const placesIn = (subtree: readonly DerElement[]): readonly Place[] =>
      subtree.filter(({ tag }) => tag === name.tag).map((base) => placeOf(name, base));
    const [allowed, refused] = [placesIn(permitted), placesIn(excluded)];
    if ([...allowed, ...refused].includes('incomparable')) return false;
    return (allowed.length === 0 || allowed.includes('within')) && !refused.includes('within');
  });
}

type Place = 'within' | 'outside' | 'incomparable';

function subtrees(constraints: readonly DerElement[], tag: number): readonly DerElement[] {
  return children(constraints.find((element) => element.tag === tag)?.contents).flatMap((subtree) =>
    children(subtree.contents).slice(0, 1),
  );
}

/** A name from a certificate, in the same form as a GeneralName in a name constraint. */
type Name = Pick<DerElement, 'tag' | 'contents'>;

function namesOf(certificate: Certificate, isLeaf: boolean): readonly Name[] {
  const alternatives = children(children(extensionOf(certificate, SUBJECT_ALT_NAME))[0]?.contents);
  const { contents, whole } = toBeSigned(certificate.der)[4] ?? { contents: NONE, whole: NONE };
  const hasHosts = alternatives.some(({ tag }) => tag === DNS_NAME_TAG);
  return [
    ...alternatives,
    ...(children(contents).length === 0 ? [] : [{ tag: DIRECTORY_NAME_TAG, contents: whole }]),
    ...emailAddresses(contents),
    // If a leaf certificate contains no other host name, the common name is treated as a host name.
    ...(isLeaf && !hasHosts ? commonNames(contents) : []),
  ];
}

function emailAddresses(subject: Uint8Array): readonly Name[] {
  return attributesOf(subject)
    .filter(({ type }) => type === EMAIL_ADDRESS)
    .map(({ tag, contents }) => ({ tag: EMAIL_TAG, contents: tag === IA5_STRING_TAG ? contents : NONE }));
}

function commonNames(subject: Uint8Array): readonly Name[] {
  return attributesOf(subject)
    .filter(({ type, text }) => type === COMMON_NAME && /^[a-z0-9_*][a-z0-9_.-]*\.[a-z0-9_-]+$/u.test(text))
    .map(({ text }) => hostName(text));
}

function hostName(text: string): Name {
  return { tag: DNS_NAME_TAG, contents: new Uint8Array(Buffer.from(text, 'latin1')) };
}

function placeOf(name: Name, base: Name): Place {
  switch (base.tag) {
    case DNS_NAME_TAG:
      return placeIf(isHostUnder(textOf(name.contents), textOf(base.contents)));
    case IP_ADDRESS_TAG:
      return placeIf(isAddressUnder(name.contents, base.contents));
    case DIRECTORY_NAME_TAG:
      return placeIf(isSubjectUnder(name.contents, base.contents));
    case EMAIL_TAG:
      return emailPlace(latin(name.contents), latin(base.contents));
    case URI_TAG:
      return uriPlace(textOf(name.contents), textOf(base.contents));
    default:
      return 'incomparable';
  }
}

function placeIf(isWithin: boolean): Place {
  return isWithin ? 'within' : 'outside';
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function textOf(bytes: Uint8Array): string {
  return latin(bytes).toLowerCase();
}

/** A base with a leading dot covers only names below it. */
function isHostUnder(host: string, base: string): boolean {
  if (base === '' || host === base) return true;
  return host.endsWith(base.startsWith('.') ? base : `.${base}`);
}

/**
 * The base is a mailbox, a host, or, with a leading dot, all hosts in a domain. Only hosts are compared
 * case-insensitively.
 */
function emailPlace(address: string, base: string): Place {
  const at = address.lastIndexOf('@');
  if (at === -1) return 'incomparable';
  if (base.startsWith('.') && !base.includes('@'))
    return placeIf(address.length > base.length && address.toLowerCase().endsWith(base.toLowerCase()));
  const baseAt = base.lastIndexOf('@');
  const isSameHost = address.slice(at + 1).toLowerCase() === base.slice(baseAt + 1).toLowerCase();
  return placeIf(isSameHost && (baseAt <= 0 || address.slice(0, at) === base.slice(0, baseAt)));
}

/** The base is a single host, or, with a leading dot, all hosts in a domain. */
function uriPlace(uri: string, base: string): Place {
  const host = /^[^:]*:\/\/(?<host>[^:/]*)/u.exec(uri)?.groups?.['host'];
  if (host === undefined) return 'incomparable';
  return placeIf(base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base);
}

/** The base consists of an address and a mask. */
function isAddressUnder(address: Uint8Array, base: Uint8Array): boolean {
  const size = address.length;
  return (
    base.length === 2 * size &&
    address.every((byte, index) => ((byte ^ (base[index] ?? 0)) & (base[size + index] ?? 0)) === 0)
  );
}

function isSubjectUnder(subject: Uint8Array, base: Uint8Array): boolean {
  const [own, limit] = [subject, base].map((name) => attributesOf(children(name)[0]?.contents ?? name));
  return (limit ?? []).every(({ type, text }, index) => own?.[index]?.type === type && own[index].text === text);
}

interface Attribute {
  readonly type: string;
  readonly tag: number | undefined;
  readonly contents: Uint8Array;
  /** Attribute value in a normalized form for comparison, in which spaces and case are ignored (RFC 5280 §7.1). */
  readonly text: string;
}

function attributesOf(name: Uint8Array): readonly Attribute[] {
  return children(name)
    .flatMap((set) => children(set.contents))
    .map((attribute) => {
      const [type, value] = children(attribute.contents);
      const contents = value?.contents ?? NONE;
      return {
        type: Buffer.from(type?.contents ?? []).toString('hex'),
        tag: value?.tag,
        contents,
        text: latin(contents).trim().replaceAll(/\s+/gu, ' ').toLowerCase(),
      };
    });
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
