import type { Certificate, DistinguishedName } from '../certificate.ts';
import { attributeValues, distinguishedNameKey, formatDistinguishedName } from '../distinguished-name.ts';
import type { ChainCase } from './chain-case.ts';
import type { Signal } from './signal.ts';

/**
 * What belongs to a known certificate, under another key: the name of a genuine authority, or the dates or serial of the genuine
 * leaf. The leaf's subject alone is no sign: every certificate for the same host has it.
 */
export function copySignals(chain: ChainCase): readonly Signal[] {
  return [borrowedName(chain), copiedLeaf(chain)].flatMap((actual) =>
    actual === null
      ? []
      : [
          {
            rule: 'names-belong-to-their-keys',
            weight: 'strong',
            group: 'copy',
            discreditsIssuer: true,
            expected: 'Names, dates and serials of known certificates only together with their keys',
            actual,
            product: null,
          },
        ],
  );
}

function borrowedName(chain: ChainCase): string | null {
  const { standing, sent } = chain;
  const last = standing.path.at(-1);
  // The issuer was asked and has not signed: the claim itself is the copy.
  if (standing.kind === 'forged' && last !== undefined)
    return `Says it is signed by ${formatDistinguishedName(last.issuer)}, whose key did not sign it`;
  // Only a root of its own: an authority below one that was not sent may be a genuine one with a new key.
  const root = standing.kind === 'foreign' ? last : undefined;
  const borrower = root === undefined ? undefined : [root, ...sent.slice(1)].find((certificate) => bearsKnownName(certificate, chain));
  return borrower === undefined
    ? null
    : `${formatDistinguishedName(borrower.subject)} has another key than the genuine authority of this name`;
}

function bearsKnownName({ subject, pin }: Certificate, { evidence }: ChainCase): boolean {
  const { anchors, pins, publicRoots } = evidence.trust;
  const held = [
    ...anchors.map(({ certificate }) => certificate),
    ...(evidence.baseline?.authorities ?? []),
    ...publicRoots.bySubject(subject),
  ];
  const known = [...held.map((authority) => ({ name: authority.subject, pin: authority.pin })), ...pins];
  const namesakes = known.filter(({ name }) => name !== null && isSameAuthority(name, subject));
  return namesakes.length > 0 && namesakes.every((namesake) => namesake.pin !== pin);
}

/** Same organization and common name: an e-mail address or a country more or less makes it no other authority. */
function isSameAuthority(left: DistinguishedName, right: DistinguishedName): boolean {
  const key = distinguishedNameKey({ attributes: left.attributes.filter(isTelling) });
  return (
    key !== '' && key === distinguishedNameKey({ attributes: right.attributes.filter(isTelling) }) && attributeValues(left, 'CN').length > 0
  );
}

function isTelling({ type }: { readonly type: string }): boolean {
  return type === 'O' || type === 'CN';
}

function copiedLeaf({ leaf, evidence }: ChainCase): string | null {
  const referenceLeaves = evidence.references.flatMap(({ chain }) => chain.certificates.slice(0, 1));
  const originals = [...(evidence.baseline?.leaves ?? []), ...referenceLeaves].filter((known) => known.pin !== leaf.pin);
  const original = originals.find((known) => known.serial === leaf.serial || hasSameDates(known, leaf));
  if (original === undefined || distinguishedNameKey(original.subject) !== distinguishedNameKey(leaf.subject)) return null;
  const what = original.serial === leaf.serial ? 'serial' : 'dates';
  return `Has the subject and the ${what} of the certificate ${original.fingerprint.slice(0, 23)}… under another key`;
}

function hasSameDates(left: Certificate, right: Certificate): boolean {
  return left.notBefore === right.notBefore && left.notAfter === right.notAfter;
}
