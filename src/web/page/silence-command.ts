import type { Cause } from '../../engine/cause.ts';
import { visibleText } from '../../core/visible-text.ts';

/** What `POST /api/v1/silences` takes. */
const LONGEST_SUBJECT = 255;

/**
 * The command that silences one cause, ready for a POSIX shell. A subject that is no plain text is left out: then every
 * one is meant.
 */
export function silenceCommand({ id, subject }: Pick<Cause, 'id' | 'subject'>): string {
  const isPlain = subject !== '' && visibleText(subject, LONGEST_SUBJECT) === subject;
  const about = isPlain ? ` --subject ${quoted(subject)}` : '';
  return `ftm-watch silence add --for 2h --cause ${id}${about} --comment 'being repaired'`;
}

function quoted(text: string): string {
  return /^[\w.:@/-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
