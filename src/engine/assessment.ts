import type { Finding } from './finding.ts';

/** What was found out about one precondition by itself, before the path as a whole is reasoned over. */
export interface Assessment<C extends string = string> {
  readonly id: string;
  /** `unjudged`: it should have been looked at, but there was nothing to look at or our own trouble prevented it. */
  readonly kind: 'judged' | 'unjudged' | 'not-configured';
  readonly findings: readonly Finding<C>[];
  /** One sentence: what is fine when there is no finding, or why it was not judged. */
  readonly summary: string;
}

/**
 * An assessment with what others tell besides. What could not be judged stays `unjudged`; what is not configured here is
 * judged by what they tell.
 */
export function withFindings(own: Assessment, findings: readonly Finding[]): Assessment {
  if (findings.length === 0) return own;
  return {
    ...own,
    kind: own.kind === 'not-configured' ? 'judged' : own.kind,
    findings: [...own.findings, ...findings],
  };
}
