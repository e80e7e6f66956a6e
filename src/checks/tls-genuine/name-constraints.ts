import type { Certificate } from '../../core/certificate.ts';
import { children, type DerElement } from '../../core/der.ts';
import { toBeSigned } from '../../core/parse-certificate.ts';
import { extensionOf } from './extensions.ts';

const NAME_CONSTRAINTS = '551d1e';
const SUBJECT_ALT_NAME = '551d11';
const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;
const EMAIL_TAG = 0x81;
const DNS_NAME_TAG = 0x82;
const URI_TAG = 0x86;
const IP_ADDRESS_TAG = 0x87;
const DIRECTORY_NAME_TAG = 0xa4;
const COMMON_NAME = '550403';
const EMAIL_ADDRESS = '2a864886f70d010901';
const IA5_STRING_TAG = 0x16;
const NONE = new Uint8Array();

/**
 * Whether the authority may sign this certificate (RFC 5280 §4.2.1.10): every name of a kind that it limits must be
 * within what is permitted and outside of what is excluded, as OpenSSL compares them. A kind of name that OpenSSL
 * cannot compare is refused wherever it is limited.
 */
export function mayNamesBe(authority: Certificate, certificate: Certificate, isLeaf: boolean): boolean {
  return mayBe(authority, () => namesOf(certificate, isLeaf));
}

/** Whether it may sign for a host name: some public authorities are limited to the domains of one company. */
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

/** A name of a certificate, as the GeneralName that a constraint speaks of. */
type Name = Pick<DerElement, 'tag' | 'contents'>;

function namesOf(certificate: Certificate, isLeaf: boolean): readonly Name[] {
  const alternatives = children(children(extensionOf(certificate, SUBJECT_ALT_NAME))[0]?.contents);
  const { contents, whole } = toBeSigned(certificate.der)[4] ?? { contents: NONE, whole: NONE };
  const hasHosts = alternatives.some(({ tag }) => tag === DNS_NAME_TAG);
  return [
    ...alternatives,
    ...(children(contents).length === 0 ? [] : [{ tag: DIRECTORY_NAME_TAG, contents: whole }]),
    ...emailAddresses(contents),
    // Where no other host name stands, the common name is taken for one.
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

/** A base with a leading dot leaves out the name itself. */
function isHostUnder(host: string, base: string): boolean {
  if (base === '' || host === base) return true;
  return host.endsWith(base.startsWith('.') ? base : `.${base}`);
}

/** The base is a mailbox, a host, or with a leading dot all hosts below a domain. What stands before the @ has case. */
function emailPlace(address: string, base: string): Place {
  const at = address.lastIndexOf('@');
  if (at === -1) return 'incomparable';
  if (base.startsWith('.') && !base.includes('@'))
    return placeIf(address.length > base.length && address.toLowerCase().endsWith(base.toLowerCase()));
  const baseAt = base.lastIndexOf('@');
  const isSameHost = address.slice(at + 1).toLowerCase() === base.slice(baseAt + 1).toLowerCase();
  return placeIf(isSameHost && (baseAt <= 0 || address.slice(0, at) === base.slice(0, baseAt)));
}

/** The base limits the host: one, or with a leading dot all below a domain. */
function uriPlace(uri: string, base: string): Place {
  const host = /^[^:]*:\/\/(?<host>[^:/]*)/u.exec(uri)?.groups?.['host'];
  if (host === undefined) return 'incomparable';
  return placeIf(base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base);
}

/** The base is an address and its mask. */
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
  /** For comparing: spaces and case do not count (RFC 5280 §7.1). */
  readonly text: string;
}

/** The attributes of a Name, in order. */
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
