import type { DistinguishedName } from '../../core/certificate.ts';
import { formatDistinguishedName, shortName } from '../../core/distinguished-name.ts';
import { visibleText } from '../../core/visible-text.ts';

/** Two of them fit into one claim. */
const MAX_CALLED = 60;

/** What a certificate is called in a sentence: its common name, else its organization or unit. */
export function called(name: DistinguishedName): string {
  const short = shortName(name);
  return short === null ? 'an authority without a name' : visibleText(short, MAX_CALLED);
}

/** The full names of those that a claim calls by less, each once. */
export function inFull(...names: readonly DistinguishedName[]): readonly string[] {
  return [...new Set(names.map(formatDistinguishedName))];
}
