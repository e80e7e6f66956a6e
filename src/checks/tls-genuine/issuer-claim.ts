import type { DistinguishedName } from '../../core/certificate.ts';
import { isSameName } from '../../core/distinguished-name.ts';
import { nameList } from '../../core/name-list.ts';
import { called } from './called.ts';
import type { ChainCase } from './chain-case.ts';
import { findProduct } from './product.ts';
import { trustUnder } from './trust.ts';

const MOST_NAMES = 5;

/** Who issued the certificate, in one sentence, and what is wrong with that. */
export function issuerClaim(chain: ChainCase): string {
  const { chainTrust, leaf } = chain;
  const issued = `The certificate was issued by ${called(leaf.issuer)}`;
  const top = topOf(chain);
  const end = isSameName(top, leaf.issuer) ? null : called(top);
  switch (chainTrust.kind) {
    case 'trusted':
      return `${issued}, a trusted authority.`;
    case 'weak':
      return `${issued}, over a key, a signature or a use that no client should accept.`;
    case 'public':
      return `${issued}, ${end === null ? 'a public authority' : `under the public authority ${end}`}.`;
    case 'vendor':
      return `${issued}, an authority of Fortinet that is not accepted for this host.`;
    case 'forged':
      return `The certificate names ${called(top)} as its authority, whose key did not sign it.`;
    case 'foreign':
    case 'incomplete':
      return strangersClaim(chain, issued, end);
  }
}

/** The name that the chain ends at. */
function topOf({ chainTrust, leaf }: ChainCase): DistinguishedName {
  return (chainTrust.path.at(-1) ?? leaf).issuer;
}

/** @param end the root, or what the chain ends at; null: it is the issuer itself */
function strangersClaim({ chainTrust, leaf, evidence }: ChainCase, issued: string, end: string | null): string {
  const product = findProduct(evidence.products, leaf.issuer)?.name;
  if (product !== undefined) return `${issued}, ${inspectionAuthority(product)}.`;
  if (chainTrust.kind === 'incomplete')
    return `${issued}, ${end === null ? '' : `under ${end}, `}which is not known and was not sent.`;
  if (chainTrust.path.length === 1) return `The certificate is self-signed: ${called(leaf.issuer)}.`;
  return `${issued}, ${end === null ? 'a root that is not trusted' : `under the root ${end}, which is not trusted`}.`;
}

function inspectionAuthority(product: string): string {
  return product === 'Fortinet FortiGate'
    ? "a FortiGate's inspection authority"
    : `an inspection authority of ${product}`;
}

/** What a certificate of this target may be issued by. */
export function trustedEnds({ evidence }: ChainCase): string {
  if (evidence.profile === 'public') return "An authority among Mozilla's roots";
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  const keys = [
    ...anchors.map(({ certificate, origin, label }) => ({ origin, label, name: certificate.subject })),
    ...pins,
  ].map(({ origin, label, name }) => ({ origin, text: name === null ? label : called(name) }));
  const namesOf = (from: (typeof keys)[number]['origin']): readonly string[] => [
    ...new Set(keys.filter(({ origin }) => origin === from).map(({ text }) => text)),
  ];
  const [shipped, configured] = [namesOf('shipped'), namesOf('configured')];
  const accepted = [
    ...(shipped.length === 0 ? [] : [`an authority of Fortinet (${alternatives(shipped)})`]),
    ...(configured.length === 0 ? [] : [`a configured one (${alternatives(configured)})`]),
  ];
  return accepted.length === 0 ? 'An authority that is trusted, but none is configured' : accepted.join(', or ');
}

/** `a, b or c` */
function alternatives(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES ? [nameList(names, MOST_NAMES)] : names;
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' or ');
}
