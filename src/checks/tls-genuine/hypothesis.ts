import type { Confidence, Finding, FindingLevel } from '../../engine/model.ts';
import type { BrokenCertificateKind } from './causes.ts';
import { type ChainCase, type Verdict, isRightful, ageOf, type FlawAge } from './chain-case.ts';
import type { Expectation } from './expectations.ts';
import type { Signal } from './signals.ts';
import { attributeValues } from '../../core/certificate.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import { type BaselineMatch, type TrustProfile, trustUnder } from '../../tls/trust.ts';
import type { ChainTrust } from '../../tls/chain.ts';

/** A row in the table of verdicts: a possible explanation, its condition, and the texts for users. */
export interface Hypothesis {
  readonly id: string;
  /** The condition in words, for docs/internals/interception.md. */
  readonly when: string;
  /** Reports whether the row matches. The first matching row determines the verdict. */
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  /** The functions that return the findings for this explanation. */
  readonly tells: readonly Telling[];
  /** A sentence that can contain the placeholders from `WORDS` in verdict.ts. */
  readonly summary: string;
  /**
   * What to do for a definite result, as the rest of a sentence with placeholders; absent if the result is definite.
   */
  readonly wouldSettle?: string;
  /** The kind of the cause, if the cause has several kinds. */
  readonly kind?: BrokenCertificateKind;
  /** Overrides the verdict's level. */
  readonly level?: FindingLevel;
  /** An additional finding with the level `unknown`. */
  readonly open?: Expectation;
  /** Overrides the cause's summary and remedy. */
  readonly advice?: NonNullable<Finding['advice']>;
}

type Telling = (chain: ChainCase, signals: readonly Signal[]) => Expectation | readonly Expectation[];

/** Returns the signals as findings, for rows in which the chain alone is not sufficient. */
export const signs: Telling = (_, signals) => signals;

/** Always matches. Used in rows that apply if no earlier row matches. */
export function always(): boolean {
  return true;
}

/** The result for a chain that seems expired or not yet valid because this machine's clock is wrong. */
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

/** Returns a verdict that other explanations are possible for. */
export function suspected(verdict: Verdict): Said {
  return { verdict, confidence: 'suspected' };
}

export const LEARN = 'learn the chain with "ftm-watch trust learn" on a path that is known to be clean';

/**
 * The input for the table of verdicts. All fields have few possible values, so that every combination can be tested.
 */
export interface VerdictFacts extends Pick<ChainCase, 'claim' | 'identity' | 'dates' | 'baselineMatch'> {
  readonly chainTrust: ChainTrust['kind'];
  /** Whether the chain ends at a trusted key or, under the profile `public`, at a public root. */
  readonly accepted: boolean;
  /** Whether the server did not send an intermediate certificate that is known from another source. */
  readonly gap: boolean;
  readonly profile: TrustProfile;
  /** Whether an accepted chain has a flaw because of which TLS clients reject it. */
  readonly flaw: FlawAge;
  /** Whether any trusted key is configured. */
  readonly trusting: boolean;
  /**
   * How the connection ended after the certificate: `cut` if it was reset, closed or timed out; `alert` if the peer
   * gave a reason.
   */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** Whether there is a witness, which is an observation in this round that a change at the vendor cannot cause. */
  readonly witnessed: boolean;
  /** Whether the genuine key was observed on another path to the same name. */
  readonly contradicted: boolean;
  /**
   * Whether there is a hint, which a change at the vendor does not explain, but which depends on earlier observations.
   */
  readonly hinted: boolean;
}

export function isDateWrong({ dates }: VerdictFacts): boolean {
  return dates === 'expired' || dates === 'not-yet-valid';
}

export function isNamed({ identity }: VerdictFacts): boolean {
  return isRightful(identity);
}

/**
 * Reports whether the certificate has the right name and comes from a public authority or the vendor's authority, which
 * inspection products do not have.
 */
export function isElsewhere(facts: VerdictFacts): boolean {
  return (facts.chainTrust === 'public' || facts.chainTrust === 'vendor') && !facts.accepted && isNamed(facts);
}

/**
 * Reports whether the chain claims to be from the vendor or a public authority, but with an unknown key. The names in
 * the genuine certificate are not published, so a different name is not evidence against a chain from the vendor.
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

/**
 * Compares the chain with the baseline. A public authority may change its roots or intermediates, so only its
 * organization is compared.
 */
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
