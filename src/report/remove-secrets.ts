import { createSecretFilter } from '../core/without-secrets.ts';

/**
 * Shorter ones, and words such as "fortinet", stand in a report for other reasons: taken out, they would spoil it and
 * give themselves away.
 */
const SHORTEST_SECRET = 8;
const WORD = /^\p{L}{1,15}$/u;

/**
 * The last look at a finished text before it leaves the house.
 *
 * @param secrets all that the configuration knows; short ones and plain words are left alone
 */
export function createSecretRemover(secrets: readonly string[]): (text: string) => string {
  return createSecretFilter(secrets.filter((secret) => secret.length >= SHORTEST_SECRET && !WORD.test(secret)));
}
