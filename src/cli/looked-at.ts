import { CLOCK_SUBJECT } from '../checks/clock/judge.ts';
import { CHECKS } from '../checks/registry.ts';
import { namesIn } from '../metrics/configured-subjects.ts';

/** Subjects of several parts: a flow, several addresses that are silent together. */
const BETWEEN_PARTS = /, | to /u;

/**
 * Tells whether the subject of a cause, each part of it, was looked at: it is named in the configuration or by what was
 * asked, or is of this machine itself.
 *
 * @param named the configuration, and what was asked
 */
export function lookedAt(...named: readonly unknown[]): (subject: string) => boolean {
  const names = new Set([CLOCK_SUBJECT, ...CHECKS.map(({ id }) => id), ...namesIn(named)]);
  return (subject) => names.has(subject) || subject.split(BETWEEN_PARTS).every((part) => names.has(part));
}
