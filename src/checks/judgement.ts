import type { Finding } from '../engine/finding.ts';
import type { Judgement } from './declaration.ts';

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
