import { type Finding, isFault } from './finding.ts';

/**
 * A deeper fault that explains this one, beyond the fixed dependencies of the path: it is `blocked` then, and no cause
 * of its own.
 */
export interface Explanation {
  /** The check whose fault explains it. */
  readonly by: string;
  readonly when: (findings: readonly Finding[]) => boolean;
  /** What it shows belongs to the deeper cause (a log line of FortiAuthenticator, the policy that inspects). */
  readonly evidence: boolean;
  /** It explains a warning as well: any, or what is only suspected. */
  readonly warnings?: 'all' | 'suspected';
  /** Which warning of the deeper one is enough to explain a warning. */
  readonly byWarning?: (finding: Finding) => boolean;
}

/** Nothing but this cause is broken. */
export function suggestsOnly(cause: string): Explanation['when'] {
  return (findings) => findings.every(({ level, suggests }) => level !== 'broken' || suggests === cause);
}

/** Nothing but these rules is broken. */
export function breaksOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every(({ level, rule }) => level !== 'broken' || rules.includes(rule));
}

/** Nothing but these rules is broken or makes a warning. */
export function concernsOnly(rules: readonly string[]): Explanation['when'] {
  return (findings) => findings.every((finding) => !isFault(finding) || rules.includes(finding.rule));
}
