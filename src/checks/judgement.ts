import type { Finding, Assessment } from '../engine/model.ts';
import type { Judgement } from './check.ts';
import type { PathObservation } from '../core/round.ts';
import type { OwnClock } from './clock/estimate.ts';
import type { JudgedTlsPath } from './tls-genuine/judge-path.ts';

/** @param summary what holds when there is no finding */
export function judged(findings: readonly Finding[], summary: string): Judgement {
  return { kind: 'judged', findings, summary };
}

/** @param summary why it was not judged, although it should have been */
export function unjudged(summary: string): Judgement {
  return { kind: 'unjudged', findings: [], summary };
}

export function notConfigured(summary: string): Judgement {
  return { kind: 'not-configured', findings: [], summary };
}

/** What the checks say of one round. */
export interface JudgedRound {
  /** Of the preconditions that the probes look at. */
  readonly assessments: readonly Assessment[];
  /** The verdicts on the licence server, then on the services. */
  readonly tls: readonly { readonly path: PathObservation; readonly judged: JudgedTlsPath }[];
  /** Our own clock; null or absent: the round did not find it out. */
  readonly ownClock?: OwnClock | null;
}
