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

export interface JudgedRound {
  readonly assessments: readonly Assessment[];
  /** The licence server first, then the services. */
  readonly tls: readonly { readonly path: PathObservation; readonly judged: JudgedTlsPath }[];
  /** Null or absent if the round did not determine it. */
  readonly ownClock?: OwnClock | null;
}
