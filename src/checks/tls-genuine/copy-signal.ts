import type { Certificate, DistinguishedName } from '../../core/certificate.ts';
import { attributeValues, formatDistinguishedName, isSameName } from '../../core/distinguished-name.ts';
import { called, inFull } from './called.ts';
import type { ChainCase } from './chain-case.ts';
import type { Signal } from './signal.ts';
import type { TlsEvidence } from './tls-evidence.ts';
import type { Trust } from './trust.ts';

/**
 * What belongs to a known certificate, under another key: the name of a genuine authority, or the dates or serial of
 * the genuine leaf. The leaf's subject alone is no sign: every certificate for the same host has it.
 */
export function copySignals(chain: ChainCase): readonly Signal[] {
  const borrowed = borrowedName(chain);
  const leaf = copiedLeaf(chain);
  return [
    ...(borrowed === null ? [] : [copy(borrowed, isOnlyLearned(borrowed.name, chain) ? 'hint' : 'witness')]),
    ...(leaf === null ? [] : [copy(leaf, 'hint')]),
  ];
}

type Copy = Pick<Signal, 'claim' | 'actual' | 'fullNames'>;

function copy(seen: Copy, weight: Signal['weight']): Signal {
  const expected = 'Names, dates and serials of known certificates only together with their keys';
  return { rule: 'names-belong-to-their-keys', weight, expected, ...seen };
}

interface Borrowed extends Copy {
  readonly name: DistinguishedName;
}

function borrowedName(chain: ChainCase): Borrowed | null {
  const { chainTrust, evidence } = chain;
  const last = chainTrust.path.at(-1);
  // The issuer was asked and has not signed: the claim itself is the copy.
  if (chainTrust.kind === 'forged' && last !== undefined)
    return {
      name: last.issuer,
      claim: `The certificate names ${called(last.issuer)} as its authority, whose key did not sign it.`,
      fullNames: inFull(last.issuer),
      actual: `Says it is signed by ${formatDistinguishedName(last.issuer)}, whose key did not sign it`,
    };
  const borrower = claimants(chain).find((certificate) => bearsKnownName(certificate, evidence));
  if (borrower === undefined) return null;
  return {
    name: borrower.subject,
    claim: `${called(borrower.subject)} has another key than the genuine authority of this name.`,
    fullNames: inFull(borrower.subject),
    actual: `${formatDistinguishedName(borrower.subject)} has another key than the genuine authority of this name`,
  };
}

/**
 * Below an authority that was not sent, only what has signed speaks for the chain: anybody can append a certificate.
 */
function claimants({ chainTrust, sent }: ChainCase): readonly Certificate[] {
  const last = chainTrust.path.at(-1);
  if (chainTrust.kind === 'foreign' && last !== undefined) return [last, ...sent.slice(1)];
  return chainTrust.kind === 'incomplete' ? chainTrust.path.slice(1) : [];
}

function bearsKnownName({ subject, pin }: Certificate, { trust, baseline }: TlsEvidence): boolean {
  const namesakes = [...configuredNames(subject, trust), ...(baseline?.authorities ?? []).map(asKnown)].filter(
    ({ name }) => isSameAuthority(name, subject),
  );
  return namesakes.length > 0 && namesakes.every((namesake) => namesake.pin !== pin);
}

/** What was learned is what was seen before: it raises a suspicion, and confirms none. */
function isOnlyLearned(name: DistinguishedName, { evidence, sent }: ChainCase): boolean {
  const isOfThatName = (known: DistinguishedName): boolean => isSameAuthority(known, name);
  const learned = (evidence.baseline?.authorities ?? []).some(({ subject }) => isOfThatName(subject));
  return (
    learned &&
    !configuredNames(name, evidence.trust).some((known) => isOfThatName(known.name)) &&
    !sent.slice(1).some(({ subject }) => isOfThatName(subject))
  );
}

interface KnownName {
  readonly name: DistinguishedName;
  readonly pin: string;
}

function configuredNames(like: DistinguishedName, { anchors, pins, publicRoots }: Trust): readonly KnownName[] {
  return [
    ...anchors.map(({ certificate }) => asKnown(certificate)),
    ...publicRoots.bySubject(like).map(asKnown),
    ...pins.flatMap(({ name, pin }) => (name === null ? [] : [{ name, pin }])),
  ];
}

function asKnown({ subject, pin }: Certificate): KnownName {
  return { name: subject, pin };
}

/** Same organization and common name: an e-mail address or a country more or less makes it no other authority. */
function isSameAuthority(left: DistinguishedName, right: DistinguishedName): boolean {
  const telling = ({ attributes }: DistinguishedName): DistinguishedName => ({
    attributes: attributes.filter(isTelling),
  });
  return attributeValues(left, 'CN').length > 0 && isSameName(telling(left), telling(right));
}

function isTelling({ type }: { readonly type: string }): boolean {
  return type === 'O' || type === 'CN';
}

function copiedLeaf({ leaf, evidence }: ChainCase): Copy | null {
  const referenceLeaves = evidence.references.flatMap(({ chain }) => chain.certificates.slice(0, 1));
  // Under one authority, certificates that were made together have the same dates.
  const originals = [...(evidence.baseline?.leaves ?? []), ...referenceLeaves].filter(
    (known) => known.pin !== leaf.pin && !isSameName(known.issuer, leaf.issuer),
  );
  const original = originals.find((known) => known.serial === leaf.serial || hasSameDates(known, leaf));
  if (original === undefined || !isSameName(original.subject, leaf.subject)) return null;
  const what = original.serial === leaf.serial ? 'serial' : 'dates';
  return {
    claim: `The certificate has the subject and the ${what} of the genuine one, but another key.`,
    actual: `Has the subject and the ${what} of the certificate ${original.fingerprint.slice(0, 23)}… under another key`,
  };
}

function hasSameDates(left: Certificate, right: Certificate): boolean {
  return left.notBefore === right.notBefore && left.notAfter === right.notAfter;
}
