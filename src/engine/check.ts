import type { Step } from './words/step.ts';
import type { Explanation } from './explanation.ts';
import type { Finding } from './finding.ts';
import type { CauseWords } from './words/cause-words.ts';

/**
 * What a check declares about its precondition, and all that the engine knows of it. Checks name each other by their
 * ids alone.
 */
export interface Check<Id extends string = string, C extends string = string> {
  readonly id: Id;
  /** For a person. */
  readonly title: string;
  /** While one of these is broken or blocked, this one cannot be judged by itself and is `blocked`. */
  readonly dependsOn: readonly string[];
  readonly explainedBy: readonly Explanation[];
  readonly causes: Readonly<Record<C, CauseWords>>;
  /** What would settle it where it stays unknown and its judgement does not say. */
  readonly unknownRemedy: Step;
  /** A stage of the path from this machine to the licence server. */
  readonly onPath?: true;
  /** What is asked for by name, or beyond this network, cannot be judged while this one is broken. */
  readonly isWayOut?: true;
  /** What it saw proves it, whatever is wrong with what it depends on. */
  readonly provesItself?: true;
  /** It is judged when the states of all others are known, since any of them may explain it. */
  readonly judgedLast?: true;
  /** It listens and does not look: `unknown` says that nothing was heard yet, and is no trouble. */
  readonly onlyListens?: true;
  /** While one of these is unknown, so is this one, although it does not depend on it. */
  readonly unknownWith?: readonly string[];
  /** One lost connection shows its fault, and the next one may work: others that lost one as well prove no more. */
  readonly byOneConnection?: true;
  /** What its causes say of one host is one fault, whatever says it; without, each subject has a fault of its own. */
  readonly oneFaultPerHost?: true;
  /** Its findings decide what findings of others left open. */
  readonly refines?: (own: readonly Finding[]) => (finding: Finding) => Finding;
}

/** The check that a cause belongs to, and what is known about the cause. */
export interface KnownCause {
  readonly check: Check;
  readonly words: CauseWords;
}

/** @throws Error when no check has such a cause */
export function knownCause(checks: readonly Check[], cause: string): KnownCause {
  for (const check of checks) {
    const words = Object.hasOwn(check.causes, cause) ? check.causes[cause] : undefined;
    if (words !== undefined) return { check, words };
  }
  throw new Error(`Cannot tell the cause "${cause}": no check has it`);
}
