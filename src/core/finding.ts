import type { CauseId } from './cause.ts';

/**
 * One expectation that was judged against what was seen. Everything that a person is told (terminal, page, mail, log)
 * prints these same findings.
 */
export interface Finding {
  /** Name of the expectation, kebab-case, constant: `chain-verifies-under-pin`. */
  readonly rule: string;
  /** What was looked at: `fortitokenmobile.fortinet.com:443`, a resolver, a mail server. */
  readonly subject: string;
  readonly expected: string;
  readonly actual: string;
  /** What it does to its precondition by itself. `note` is worth reading but no fault; `unknown`: could not be judged. */
  readonly level: FindingLevel;
  /** The cause that explains it when nothing deeper does; null for notes and unknowns. */
  readonly suggests: CauseId | null;
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';
