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

/** After a name, an IPv4 address or a bracket; not the minutes of a time. */
const PORT = /(?<=\p{L}[\w.-]*|\.\d+|\]):\d{1,5}(?!\w|:\w)/gu;

/** Text for people whose lines may break before the port of a `host:port`, and never inside it. */
export function breakable(text: string): Content {
  // Longer texts are cut, as a whole: in pieces none of them would be.
  if (text.length > TEXT_LIMIT) return text;
  const ports = text.match(PORT) ?? [];
  return text
    .split(PORT)
    .map((before, index) => [
      before,
      ports[index] === undefined ? null : markup`<wbr><span class="port">${ports[index]}</span>`,
    ]);
}

/** What something is about, mostly a `host:port`. */
export function subjectView(subject: string): Markup {
  return markup`<span class="subject">${breakable(subject)}</span>`;
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
