import type { Confidence, Finding, FindingLevel } from '../../engine/model.ts';
import type { BrokenCertificateKind } from './causes.ts';
import { type ChainCase, type Verdict, isRightful, ageOf, type FlawAge } from './chain-case.ts';
import type { Expectation } from './expectations.ts';
import type { Signal } from './signals.ts';
import { attributeValues } from '../../core/certificate.ts';
import type { TlsOutcome } from '../../core/observation.ts';
import { type BaselineMatch, type TrustProfile, trustUnder } from '../../tls/trust.ts';
import type { ChainTrust } from '../../tls/chain.ts';

/** One row of the table of verdicts: what may be so, how it shows, and what a person is told then. */
export interface Hypothesis {
  readonly id: string;
  /** The condition in words, as in docs/internals/interception.md. */
  readonly when: string;
  /** The first row that holds decides. */
  readonly holds: (facts: VerdictFacts) => boolean;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  /** The findings that it is told by. */
  readonly tells: readonly Telling[];
  /** One sentence; it may name `{words}` of told-chain.ts. */
  readonly summary: string;
  /** What would turn it into a plain answer, with words as well; left out where the answer is plain. */
  readonly wouldSettle?: string;
  /** Which kind of its cause it is, where the catalogue knows several. */
  readonly kind?: BrokenCertificateKind;
  /** Where it is not the level of the verdict. */
  readonly level?: FindingLevel;
  /** What nobody can say beside it: leaves the precondition unknown. */
  readonly open?: Expectation;
  /** Where the catalogue of causes speaks of something else. */
  readonly advice?: NonNullable<Finding['advice']>;
}

type Telling = (chain: ChainCase, signals: readonly Signal[]) => Expectation | readonly Expectation[];

/** What was seen at other hosts or before; it does not matter where the chain itself says enough. */
export const signs: Telling = (_, signals) => signals;

/** The condition of a row, for the rows that only those before it make true. */
export function always(): boolean {
  return true;
}

/** How a chain that is out of date is told where it is the clock of this machine that is wrong. */
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

/** Other explanations of what was seen are left. */
export function suspected(verdict: Verdict): Said {
  return { verdict, confidence: 'suspected' };
}

export const LEARN = 'the chain learned with "ftm-watch trust learn" on a path known to be clean';

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
