import { sentChain } from '../../core/certificate.ts';
import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import { visibleText } from '../../core/visible-text.ts';
import { called, inFull } from './called.ts';
import { type ChainCase, identify, isBeyondComparison, isRightful, chainTrustOf } from './chain-case.ts';
import type { Signal } from './signal.ts';
import type { ChainTrust } from './chain-trust.ts';
import type { ReferenceChain } from './tls-evidence.ts';
import type { TrustProfile } from './trust.ts';

const WAYS: Readonly<Record<ReferenceChain['kind'], string>> = {
  resolver: 'at the address from',
  proxy: 'over',
  address: 'at',
  'server-name': 'with the server name',
  'tls-version': 'in',
};

/**
 * Another way to the same target shows what this one does not: the genuine key, or, with another server name, a chain
 * that is at least publicly trusted. That two genuine chains differ is ordinary: nodes of one service have different
 * certificates.
 */
export function referenceSignals(chain: ChainCase): readonly Signal[] {
  if (isBeyondComparison(chain)) return [];
  const signals = chain.evidence.references.flatMap((reference) => compare(chain, reference) ?? []);
  const [first] = [...signals.filter(({ weight }) => weight === 'witness'), ...signals];
  return first === undefined ? [] : [first];
}

function compare(chain: ChainCase, reference: ReferenceChain): Signal | null {
  const sent = sentChain(reference.chain);
  if (sent === null) return null;
  const chainTrust = chainTrustOf(sent, chain.evidence, chain.checks);
  const isNamed = isRightful(identify(sent[0], chain.evidence));
  if (isUnderTrusted(chain, chainTrust)) return null;
  const [issuer, fullNames] = [called(chain.leaf.issuer), inFull(chain.leaf.issuer)];
  const actual = `Issued by ${formatDistinguishedName(chain.leaf.issuer)}`;
  const seen = `${WAYS[reference.kind]} ${reference.label}`;
  if (isGenuine(chainTrust.kind, { isNamed, kind: reference.kind, profile: chain.evidence.profile })) {
    const rule = 'reference-path-agrees';
    const weight = weightOf(reference.kind, chain);
    if (chain.accepted !== null) return { rule, weight, ...deviceInstead(chain, seen) };
    const expected = `The same authority as ${seen}: ${chainTrust.label ?? 'trusted'}`;
    const claim = `The certificate is issued by ${issuer} here, but by a trusted authority ${visibleText(seen, 80)}.`;
    return { rule, weight, claim, expected, actual, fullNames };
  }
  if (reference.kind !== 'server-name' || chainTrust.kind !== 'public') return null;
  const expected = `A trusted chain with this server name as ${seen}`;
  const claim = `The certificate is issued by ${issuer}, and ${visibleText(seen, 80)} by a public authority.`;
  return { rule: 'server-name-changes-nothing', weight: 'weak', claim, expected, actual, fullNames };
}

/** The same authority signs for both: what differs is whose certificate it is. */
function deviceInstead({ leaf }: ChainCase, seen: string): Pick<Signal, 'claim' | 'expected' | 'actual' | 'fullNames'> {
  return {
    claim: `The certificate is that of ${called(leaf.subject)} here, and the server's own ${visibleText(seen, 80)}.`,
    expected: `The server's own certificate, as ${seen}`,
    actual: formatDistinguishedName(leaf.subject),
    fullNames: inFull(leaf.subject),
  };
}

/** Both are under an authority that is right: what is wrong with this certificate, that one says nothing about. */
function isUnderTrusted({ accepted, identity, chainTrust }: ChainCase, reference: ChainTrust): boolean {
  const own = chainTrust.authorities.map(({ pin }) => pin);
  const isShared = reference.authorities.some(({ pin }) => own.includes(pin));
  // A device has a genuine certificate, but not the server's.
  return identity !== 'device' && (accepted !== null || isShared);
}

/**
 * The vendor may renew one node after the other, and a server may choose its chain by the server name: there a genuine
 * key beside this one is no sign, unless the issuer here claims to be somebody else.
 */
function weightOf(kind: ReferenceChain['kind'], { claim }: ChainCase): Signal['weight'] {
  switch (kind) {
    case 'resolver':
    case 'proxy':
    case 'tls-version':
      return 'witness';
    case 'address':
      return claim === 'other' ? 'witness' : 'weak';
    case 'server-name':
      return 'weak';
  }
}

interface Seen {
  readonly isNamed: boolean;
  readonly kind: ReferenceChain['kind'];
  readonly profile: TrustProfile;
}

/**
 * Asked with another server name, a server may rightly show the certificate of that name: there the trusted key is
 * enough.
 */
function isGenuine(chainTrust: ChainTrust['kind'], { isNamed, kind, profile }: Seen): boolean {
  if (chainTrust === 'trusted') return isNamed || kind === 'server-name';
  return chainTrust === 'public' && profile === 'public' && isNamed;
}
