import { formatDistinguishedName } from '../distinguished-name.ts';
import { type ChainCase, identify, standingOf } from './chain-case.ts';
import type { Signal } from './signal.ts';
import type { Standing } from './standing.ts';
import type { ReferenceChain } from './tls-evidence.ts';
import type { TrustProfile } from './trust.ts';

const WAYS: Readonly<Record<ReferenceChain['kind'], string>> = {
  resolver: 'at the address from',
  proxy: 'over',
  'server-name': 'with the server name',
  'tls-1.2': 'in TLS 1.2 at',
};

/**
 * Another way to the same target shows what this one does not: the genuine key, or, with another server name, a chain that is at
 * least publicly trusted. That two genuine chains differ is ordinary: nodes of one service have different certificates.
 */
export function referenceSignals(chain: ChainCase): readonly Signal[] {
  for (const reference of chain.evidence.references) {
    const signal = compare(chain, reference);
    if (signal !== null) return [signal];
  }
  return [];
}

function compare(chain: ChainCase, reference: ReferenceChain): Signal | null {
  const [leaf, ...rest] = reference.chain.certificates;
  if (leaf === undefined) return null;
  const standing = standingOf([leaf, ...rest], chain.evidence, chain.checks);
  const isNamed = !['other', 'device'].includes(identify(leaf, chain.evidence));
  const seen = `${WAYS[reference.kind]} ${reference.label}`;
  if (isGenuine(standing.kind, { isNamed, kind: reference.kind, profile: chain.evidence.profile })) {
    const expected = `The same authority as ${seen}: ${standing.label ?? 'trusted'}`;
    const group = reference.kind === 'server-name' ? 'server-name' : 'reference';
    return { rule: 'reference-path-agrees', weight: 'strong', group, discreditsIssuer: true, expected, ...seenHere(chain) };
  }
  if (reference.kind !== 'server-name' || standing.kind !== 'public') return null;
  const expected = `A trusted chain with this server name as ${seen}`;
  return {
    rule: 'server-name-changes-nothing',
    weight: 'weak',
    group: 'server-name',
    discreditsIssuer: false,
    expected,
    ...seenHere(chain),
  };
}

interface Seen {
  readonly isNamed: boolean;
  readonly kind: ReferenceChain['kind'];
  readonly profile: TrustProfile;
}

/** Asked with another server name, a server may rightly show the certificate of that name: there the trusted key is enough. */
function isGenuine(standing: Standing['kind'], { isNamed, kind, profile }: Seen): boolean {
  if (standing === 'trusted') return isNamed || kind === 'server-name';
  return standing === 'public' && profile === 'public' && isNamed;
}

function seenHere({ leaf }: ChainCase): Pick<Signal, 'actual' | 'product'> {
  return { actual: `Issued by ${formatDistinguishedName(leaf.issuer)}`, product: null };
}
