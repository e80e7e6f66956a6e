import type { Finding, Assessment } from '../engine/model.ts';
import type { Judgement } from './check.ts';
import type { PathObservation } from '../core/round.ts';
import type { OwnClock } from '../core/observation.ts';
import type { JudgedTlsPath } from './tls-genuine/judge-path.ts';

/** @param summary the text to use if there are no findings */
export function judged(findings: readonly Finding[], summary: string): Judgement {
  return { kind: 'judged', findings, summary };
}

/** @param summary the reason why a configured check could not be evaluated */
export function unjudged(summary: string): Judgement {
  return { kind: 'unjudged', findings: [], summary };
}

export function notConfigured(summary: string): Judgement {
  return { kind: 'not-configured', findings: [], summary };
}

/** Assessments and verdicts from one round. */
export interface JudgedRound {
  /** Results of the checks that are probed in every round. */
  readonly assessments: readonly Assessment[];
  /** Verdicts on the licence server, followed by verdicts on the services. */
  readonly tls: readonly { readonly path: PathObservation; readonly judged: JudgedTlsPath }[];
  /** State of this machine's clock. Null or absent if the round did not determine it. */
  readonly ownClock?: OwnClock | null;
}
