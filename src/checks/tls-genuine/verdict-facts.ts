import { attributeValues } from '../../core/distinguished-name.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import type { BaselineMatch } from './baseline.ts';
import { type ChainCase, isRightful } from './chain-case.ts';
import { ageOf, type FlawAge } from './judge-flaws.ts';
import type { Signal } from './signal.ts';
import type { ChainTrust } from './chain-trust.ts';
import { type TrustProfile, trustUnder } from './trust.ts';

/** What the table of verdicts looks at: small closed sets, so that it can be read and tested as a table. */
export interface VerdictFacts extends Pick<ChainCase, 'claim' | 'identity' | 'dates' | 'baselineMatch'> {
  readonly chainTrust: ChainTrust['kind'];
  /** The profile takes a chain that ends there: at a trusted key, or at a public root under the profile `public`. */
  readonly accepted: boolean;
  /** An intermediate was not sent, though it is known from elsewhere. */
  readonly gap: boolean;
  readonly profile: TrustProfile;
  /** What TLS clients refuse an accepted chain for, although its signatures are right. */
  readonly flaw: FlawAge;
  /** Whether there is any key that a chain could lead to. */
  readonly trusting: boolean;
  /**
   * After the certificate: `cut` when the connection was reset, closed or fell silent; `alert` when the peer said why
   * it ended.
   */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** Something in this round that no change at the vendor can produce. */
  readonly witnessed: boolean;
  /** The witness is the genuine key on another path to the same name. */
  readonly contradicted: boolean;
  /** Something that a change at the vendor does not explain, resting on what was known before. */
  readonly hinted: boolean;
}

export function isDateWrong({ dates }: VerdictFacts): boolean {
  return dates === 'expired' || dates === 'not-yet-valid';
}

export function isNamed({ identity }: VerdictFacts): boolean {
  return isRightful(identity);
}

/** For the right name, under an authority that no inspection product has: a public one, or the vendor's own. */
export function isElsewhere(facts: VerdictFacts): boolean {
  return (facts.chainTrust === 'public' || facts.chainTrust === 'vendor') && !facts.accepted && isNamed(facts);
}

/**
 * Only the key of the authority that the chain claims for itself, the vendor or a public one, is not known. What names
 * the genuine certificate carries is not published, so under the vendor's name another one is no reason against it.
 */
export function isClaimed(facts: VerdictFacts): boolean {
  const isVendors = facts.claim === 'vendor' && (facts.chainTrust === 'incomplete' || facts.chainTrust === 'foreign');
  if (isVendors && facts.profile === 'fortinet') return facts.identity !== 'device';
  return isNamed(facts) && (isVendors || (facts.claim === 'public' && facts.chainTrust === 'incomplete'));
}

export function gatherFacts(chain: ChainCase, signals: readonly Signal[]): VerdictFacts {
  const { chainTrust, evidence, identity, claim, dates } = chain;
  const witnesses = signals.filter(({ weight }) => weight === 'witness');
  return {
    chainTrust: chainTrust.kind,
    accepted: chain.accepted !== null,
    claim,
    identity,
    dates,
    baselineMatch: baselineMatchOf(chain),
    gap: chain.gap !== null,
    profile: evidence.profile,
    flaw: ageOf(chain.accepted?.flaws ?? [], evidence.knownFlaws),
    trusting: isAnythingTrusted(chain),
    ended: endOf(evidence.outcome),
    witnessed: witnesses.length > 0,
    contradicted: witnesses.some(({ rule }) => rule === 'reference-path-agrees'),
    hinted: signals.some(({ weight }) => weight === 'hint'),
  };
}

function isAnythingTrusted({ evidence }: ChainCase): boolean {
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  return evidence.profile !== 'pinned' || evidence.baseline !== null || pins.length + anchors.length > 0;
}

/** Among public authorities a change within one organization (its roots, its intermediates) is everyday business. */
function baselineMatchOf({ baselineMatch, chainTrust, evidence }: ChainCase): BaselineMatch {
  const root = chainTrust.kind === 'public' ? chainTrust.path.at(-1) : undefined;
  if (root === undefined) return baselineMatch;
  const organizations = new Set(
    (evidence.baseline?.authorities ?? []).flatMap((authority) => attributeValues(authority.subject, 'O')),
  );
  return attributeValues(root.subject, 'O').some((organization) => organizations.has(organization))
    ? 'same-authority'
    : baselineMatch;
}

function endOf(outcome: TlsOutcome): VerdictFacts['ended'] {
  if (outcome.kind !== 'failed') return 'handshake';
  if (outcome.alert !== null) return 'alert';
  return ['reset', 'closed', 'timeout', 'protocol'].includes(outcome.reason) ? 'cut' : 'handshake';
}
