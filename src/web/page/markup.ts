import { html, raw } from 'hono/html';
import { visibleText } from '../../core/visible-text.ts';

/** HTML that is safe to send. Made by `markup` only. */
export interface Markup {
  readonly isEscaped: true;
  toString(): string;
}

export type Content = string | number | Markup | null | readonly Content[];

/** A single text longer than this is somebody's attempt to flood the page. */
const TEXT_LIMIT = 1_000;

/**
 * Template for HTML. Every string that is put in may come from a stranger: it is cut, its control and direction
 * characters are made visible, and it is escaped for text and for quoted attributes.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const made = html(strings, ...values.map(safe));
  if (made instanceof Promise)
    throw new TypeError('Cannot make HTML of a promise: expected values that are there already');
  return made;
}

/** Our own text in which line breaks count, such as PEM: it is escaped, but not cut. */
export function preformatted(text: string): Markup {
  return markup`${text.split('\n').map((line) => [line, raw('\n')])}`;
}

export function toHtml(made: Markup): string {
  return made.toString();
}

function safe(content: Content): unknown {
  if (typeof content === 'string') return visibleText(content, TEXT_LIMIT);
  return isList(content) ? content.map(safe) : content;
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}
