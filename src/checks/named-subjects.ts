import { authority } from '../core/addresses.ts';
import { CLOCK_SUBJECT } from './clock/judge.ts';
import { CHECKS } from './registry.ts';

/** Returns all strings in a value, and hosts with ports as `host:port`. */
export function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const { host, port } = { host: null, port: null, ...value };
  const place = typeof host === 'string' && typeof port === 'number' ? [authority({ host, port })] : [];
  return [...place, ...Object.values(value).flatMap(namesIn)];
}

/** A subject can contain several addresses or the two ends of a connection. */
const BETWEEN_PARTS = /, | to /u;

/** A subject such as `clock of fac-1` or `fac-1 itself` is checked if its unit is. */
const OF_UNIT = /^(?:clock|memory|users) of | itself$/u;

/** Returns the name of the unit that the subject is a part of. All other subjects are returned unchanged. */
export function unitOf(subject: string): string {
  return subject.replace(OF_UNIT, '');
}

/** Each part of a subject must be this machine or occur in `named`, such as the configuration or query results. */
export function lookedAt(...named: readonly unknown[]): (subject: string) => boolean {
  const names = new Set([CLOCK_SUBJECT, ...CHECKS.map(({ id }) => id), ...namesIn(named)]);
  return (subject) =>
    names.has(subject) || names.has(unitOf(subject)) || subject.split(BETWEEN_PARTS).every((part) => names.has(part));
}
