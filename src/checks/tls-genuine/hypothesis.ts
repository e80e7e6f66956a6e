import type { Confidence, Finding, FindingLevel } from '../../engine/model.ts';
import type { BrokenCertificateKind } from './causes.ts';
import { type ChainCase, type Verdict, isRightful, ageOf, type FlawAge } from './chain-case.ts';
import type { Expectation } from './expectations.ts';
import type { Signal } from './signals.ts';
import { attributeValues } from '../../core/certificate.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import { type BaselineMatch, type TrustProfile, trustUnder } from '../../tls/trust.ts';
import type { ChainTrust } from '../../tls/chain.ts';

/** A row in the verdict table: an explanation, its condition, and its messages. */
export interface Hypothesis {
  readonly id: string;
  /** For docs/internals/interception.md. */
  readonly when: string;
  /** The first matching row determines the verdict. */
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly tells: readonly Telling[];
  /** Can contain placeholders from `WORDS` in verdict.ts. */
  readonly summary: string;
  /** Action that would lead to a definite result, as the rest of a sentence with placeholders. */
  readonly wouldSettle?: string;
  readonly kind?: BrokenCertificateKind;
  /** Replaces the verdict's default level. */
  readonly level?: FindingLevel;
  /** An additional finding with the level `unknown`. */
  readonly open?: Expectation;
  readonly advice?: NonNullable<Finding['advice']>;
}

type Telling = (chain: ChainCase, signals: readonly Signal[]) => Expectation | readonly Expectation[];

/** Used if the chain alone is not sufficient evidence. */
export const signs: Telling = (_, signals) => signals;

export function always(): boolean {
  return true;
}

/** For a chain that only seems to be out of date because this machine's clock is wrong. */
export const WRONG_CLOCK: Omit<Hypothesis, 'id' | 'when' | 'tells'> = {
  holds: ({ dates }) => dates === 'clock',
  ...suspected('unknown'),
  summary: "The certificate of {target} cannot be checked, because this machine's clock is wrong",
  wouldSettle: "correct this machine's clock",
};

type Said = Pick<Hypothesis, 'verdict' | 'confidence'>;

export function confirmed(verdict: Verdict): Said {
  return { verdict, confidence: 'confirmed' };
}

/** Other explanations are possible. */
export function suspected(verdict: Verdict): Said {
  return { verdict, confidence: 'suspected' };
}

export const LEARN = 'learn the chain with "ftm-watch trust learn" on a path that is known to be clean';

/** Every field has only a few possible values, so that all combinations can be tested. */
export interface VerdictFacts extends Pick<ChainCase, 'claim' | 'identity' | 'dates' | 'baselineMatch'> {
  readonly chainTrust: ChainTrust['kind'];
  readonly accepted: boolean;
  /** The server did not send a required intermediate certificate, but it is known from another source. */
  readonly gap: boolean;
  readonly profile: TrustProfile;
  /** Age of a flaw that makes TLS clients reject an accepted chain. */
  readonly flaw: FlawAge;
  /** Any trusted key is configured. */
  readonly trusting: boolean;
  /**
   * How the connection ended after the certificate was received. `cut`: reset, closed or timed out. `alert`: the peer
   * sent a TLS alert with a reason.
   */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** There is an observation from this round that a change at the vendor cannot cause. */
  readonly witnessed: boolean;
  /** The genuine key was observed on another path to the same name. */
  readonly contradicted: boolean;
  /** A change at the vendor does not explain a hint, but a hint depends on earlier observations. */
  readonly hinted: boolean;
}

export function isDateWrong({ dates }: VerdictFacts): boolean {
  return dates === 'expired' || dates === 'not-yet-valid';
}

export function isNamed({ identity }: VerdictFacts): boolean {
  return isRightful(identity);
}

/** Inspection products cannot use public authorities or the vendor's authority. */
export function isElsewhere(facts: VerdictFacts): boolean {
  return (facts.chainTrust === 'public' || facts.chainTrust === 'vendor') && !facts.accepted && isNamed(facts);
}

/**
 * Fortinet does not publish the names in the genuine certificate, so an unexpected name does not speak against the
 * vendor.
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

/** A public authority may change its roots or intermediates, so only its organization is compared. */
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
