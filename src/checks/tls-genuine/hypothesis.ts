import type { Confidence } from '../../engine/cause.ts';
import type { Finding, FindingLevel } from '../../engine/finding.ts';
import type { BrokenCertificateKind } from './causes.ts';
import type { ChainCase } from './chain-case.ts';
import type { Expectation } from './expectations.ts';
import type { Signal } from './signal.ts';
import type { Verdict } from './tls-evidence.ts';
import type { VerdictFacts } from './verdict-facts.ts';

/** One row of the table of verdicts: what may be so, how it shows, and what a person is told then. */
export interface Hypothesis {
  readonly id: string;
  /** The condition in words, as in docs/interception.md. */
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

export type Telling = (chain: ChainCase, signals: readonly Signal[]) => Expectation | readonly Expectation[];

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
