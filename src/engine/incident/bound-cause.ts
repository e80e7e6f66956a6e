import type { Cause } from '../cause.ts';
import { visibleText } from '../../core/visible-text.ts';

const MAX_LINE = 500;
const MAX_NAME = 256;
const MAX_LINES = 12;

/**
 * A cause small enough to be kept and mailed. Its texts quote log lines, host names and certificates of strangers: each
 * becomes one visible line of bounded length, and their number is bounded too.
 */
export function boundCause(cause: Cause): Cause {
  return {
    ...cause,
    subject: visibleText(cause.subject, MAX_NAME),
    product: cause.product === null ? null : visibleText(cause.product, MAX_NAME),
    summary: visibleText(cause.summary, MAX_LINE),
    impact: visibleText(cause.impact, MAX_LINE),
    evidence: boundLines(cause.evidence),
    consequences: cause.consequences.slice(0, MAX_LINES),
    remedy: boundLines(cause.remedy),
  };
}

function boundLines(lines: readonly string[]): readonly string[] {
  const kept = lines.slice(0, MAX_LINES).map((line) => visibleText(line, MAX_LINE));
  const more = lines.length - kept.length;
  return more > 0 ? [...kept, `… and ${String(more)} more`] : kept;
}
