import type { Confidence, Finding, FindingLevel } from '../../engine/model.ts';
import type { BrokenCertificateKind } from './causes.ts';
import { type ChainCase, type Verdict, isRightful, ageOf, type FlawAge } from './chain-case.ts';
import type { Expectation } from './expectations.ts';
import type { Signal } from './signals.ts';
import { attributeValues } from '../../core/certificate.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import { type BaselineMatch, type TrustProfile, trustUnder } from '../../tls/trust.ts';
import type { ChainTrust } from '../../tls/chain.ts';

/** One row of the table of verdicts: a possible explanation, its condition, and the result for users. */
export interface Hypothesis {
  readonly id: string;
  /** The condition in words, as in docs/internals/interception.md. */
  readonly when: string;
  /** The first matching row decides. */
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  /** The findings that report it. */
  readonly tells: readonly Telling[];
  /** One sentence, which can contain the `{words}` of `WORDS` in verdict.ts. */
  readonly summary: string;
  /** An observation that would settle the question; can contain words too. Absent if the result is clear. */
  readonly wouldSettle?: string;
  /** The kind of the cause, if the catalogue has several. */
  readonly kind?: BrokenCertificateKind;
  /** Overrides the level of the verdict. */
  readonly level?: FindingLevel;
  /** An additional open question, which leaves the precondition unknown. */
  readonly open?: Expectation;
  /** Overrides the text in the catalogue of causes. */
  readonly advice?: NonNullable<Finding['advice']>;
}

type Telling = (chain: ChainCase, signals: readonly Signal[]) => Expectation | readonly Expectation[];

/** Observations at other hosts or from earlier, which are not needed if the chain itself is sufficient. */
export const signs: Telling = (_, signals) => signals;

/** Always matches, for rows whose condition is implied by the rows before them. */
export function always(): boolean {
  return true;
}

/** The result for an outdated chain if the clock of this machine is wrong. */
export const WRONG_CLOCK: Omit<Hypothesis, 'id' | 'when' | 'tells'> = {
  holds: ({ dates }) => dates === 'clock',
  ...suspected('unknown'),
  summary: "The certificate of {target} cannot be judged: this machine's clock is wrong",
  wouldSettle: 'A correct clock on this machine',
};

type Said = Pick<Hypothesis, 'verdict' | 'confidence'>;

export function confirmed(verdict: Verdict): Said {
  return { verdict, confidence: 'confirmed' };
}

/** Returns a verdict with other possible explanations. */
export function suspected(verdict: Verdict): Said {
  return { verdict, confidence: 'suspected' };
}

export const LEARN = 'the chain learned with "ftm-watch trust learn" on a path known to be clean';

/** Input of the table of verdicts: small closed sets, so that it can be read and tested as a table. */
export interface VerdictFacts extends Pick<ChainCase, 'claim' | 'identity' | 'dates' | 'baselineMatch'> {
  readonly chainTrust: ChainTrust['kind'];
  /** The profile accepts the end of the chain: a trusted key, or a public root with the profile `public`. */
  readonly accepted: boolean;
  /** An intermediate was not sent but is known from elsewhere. */
  readonly gap: boolean;
  readonly profile: TrustProfile;
  /** The reason why TLS clients reject an accepted chain although its signatures are right. */
  readonly flaw: FlawAge;
  /** Whether there is any key that a chain could lead to. */
  readonly trusting: boolean;
  /**
   * How the connection ended after the certificate: `cut` if it was reset, closed or fell silent; `alert` if the peer
   * gave a reason.
   */
  readonly ended: 'handshake' | 'alert' | 'cut';
  /** There is an observation in this round that no change at the vendor can cause. */
  readonly witnessed: boolean;
  /** The witness is the genuine key on another path to the same name. */
  readonly contradicted: boolean;
  /** There is an observation that a change at the vendor does not explain, but that depends on earlier knowledge. */
  readonly hinted: boolean;
}

export function isDateWrong({ dates }: VerdictFacts): boolean {
  return dates === 'expired' || dates === 'not-yet-valid';
}

export function isNamed({ identity }: VerdictFacts): boolean {
  return isRightful(identity);
}

/**
 * Reports whether the chain is for the right name under an authority that no inspection product has: a public one, or
 * the vendor's own.
 */
export function isElsewhere(facts: VerdictFacts): boolean {
  return (facts.chainTrust === 'public' || facts.chainTrust === 'vendor') && !facts.accepted && isNamed(facts);
}

/**
 * Reports whether only the key is unknown of the authority that the chain claims, which is the vendor or a public one.
 * The names in the genuine certificate are not published, so a different name under the vendor's authority is not
 * evidence against it.
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
 * Returns how the chain matches the baseline. For public authorities, a change within one organization (its roots or
 * intermediates) is normal.
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
