import type { Certificate } from '../../core/certificate.ts';
import { children, type DerElement } from '../../core/der.ts';
import { toBeSigned } from '../../core/parse-certificate.ts';
import { extensionOf } from './extensions.ts';

const NAME_CONSTRAINTS = '551d1e';
const SUBJECT_ALT_NAME = '551d11';
const PERMITTED_TAG = 0xa0;
const EXCLUDED_TAG = 0xa1;
const DNS_NAME_TAG = 0x82;
const IP_ADDRESS_TAG = 0x87;
const DIRECTORY_NAME_TAG = 0xa4;
const COMMON_NAME = '550403';
const NONE = new Uint8Array();

/**
 * Whether the authority may sign this certificate (RFC 5280 §4.2.1.10): every name of a kind that it limits must be
 * within what is permitted and outside of what is excluded. Names of hosts, addresses and the subject are looked at, as
 * OpenSSL compares them.
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
    const limits = permitted.filter(({ tag }) => tag === name.tag);
    const isWithin = (base: DerElement): boolean => base.tag === name.tag && isUnder(name, base);
    return (limits.length === 0 || limits.some(isWithin)) && !excluded.some(isWithin);
  });
}

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
    // Where no other host name stands, the common name is taken for one.
    ...(isLeaf && !hasHosts ? commonNames(contents) : []),
  ];
}

function commonNames(subject: Uint8Array): readonly Name[] {
  return attributesOf(subject)
    .filter(({ type, text }) => type === COMMON_NAME && /^[a-z0-9_*][a-z0-9_.-]*\.[a-z0-9_-]+$/u.test(text))
    .map(({ text }) => hostName(text));
}

function hostName(text: string): Name {
  return { tag: DNS_NAME_TAG, contents: new Uint8Array(Buffer.from(text, 'latin1')) };
}

function isUnder(name: Name, base: Name): boolean {
  switch (base.tag) {
    case DNS_NAME_TAG:
      return isHostUnder(textOf(name.contents), textOf(base.contents));
    case IP_ADDRESS_TAG:
      return isAddressUnder(name.contents, base.contents);
    case DIRECTORY_NAME_TAG:
      return isSubjectUnder(name.contents, base.contents);
    default:
      return false;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1').toLowerCase();
}

/** A base with a leading dot leaves out the name itself. */
function isHostUnder(host: string, base: string): boolean {
  if (base === '' || host === base) return true;
  return host.endsWith(base.startsWith('.') ? base : `.${base}`);
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

/** Type and value of each attribute of a Name, in order; spaces and case do not count (RFC 5280 §7.1). */
function attributesOf(name: Uint8Array): readonly { readonly type: string; readonly text: string }[] {
  return children(name)
    .flatMap((set) => children(set.contents))
    .map((attribute) => {
      const [type, value] = children(attribute.contents);
      const text = Buffer.from(value?.contents ?? []).toString('latin1');
      return {
        type: Buffer.from(type?.contents ?? []).toString('hex'),
        text: text.trim().replaceAll(/\s+/gu, ' ').toLowerCase(),
      };
    });
}
