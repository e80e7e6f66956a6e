import { html, raw } from 'hono/html';
import { isoTime, utcText } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf, type RemedyStep } from '../engine/model.ts';
import {
  anchorOf,
  foldedList,
  isLinked,
  type LinkedLine,
  type Paragraph,
  type Part,
  type Row,
  type Section,
  type Word,
} from './document.ts';

/** HTML that is safe to send. Only `markup` can create it. */
export interface Markup {
  readonly isEscaped: true;
  toString(): string;
}

export type Content = string | number | Markup | null | readonly Content[];

/** Longer text is truncated, because it is probably an attempt to flood the page. */
const TEXT_LIMIT = 1_000;

/**
 * Inserted strings may be untrusted, so they are truncated and escaped for use in text and quoted attributes. Control
 * characters and text direction characters are made visible.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const made = html(strings, ...values.map(safe));
  if (made instanceof Promise) throw new TypeError('Cannot insert a promise into HTML: await the value first');
  return made;
}

/** A port that follows a host name, an IPv4 address or a closing bracket. Does not match the minutes in a time. */
const PORT = /(?<=\p{L}[\w.-]*|\.\d+|\]):\d{1,5}(?!\w|:\w)/gu;

/** Allows a line break before the port in `host:port`, but not within it. */
export function breakable(text: string): Content {
  // `markup` truncates a piece only if the piece itself is too long.
  if (text.length > TEXT_LIMIT) return text;
  const ports = text.match(PORT) ?? [];
  return text
    .split(PORT)
    .map((before, index) => [
      before,
      ports[index] === undefined ? null : markup`<wbr><span class="port">${ports[index]}</span>`,
    ]);
}

export function subjectView(subject: string): Markup {
  return markup`<span class="subject">${breakable(subject)}</span>`;
}

/** The text must be trusted, because it is escaped but not truncated. */
export function preformatted(text: string, viewOf: (line: string) => Content = (line) => line): Markup {
  return markup`${text.split('\n').map((line) => [viewOf(line), raw('\n')])}`;
}

/** For the content of ftm-watch's own files, which is HTML. */
export function ownHtml(text: string): Markup {
  return markup`${raw(text)}`;
}

export function toHtml(made: Markup): string {
  return made.toString();
}

/** The escapes that `markup` produces are valid XML. U+FFFE and U+FFFF are invalid (XML 1.0 §2.2) and are replaced. */
export function toXml(made: Markup): string {
  return made.toString().replaceAll(/[\uFFFE\uFFFF]/gu, '\uFFFD');
}

function safe(content: Content): unknown {
  if (typeof content === 'string') return visibleText(content, TEXT_LIMIT);
  return isList(content) ? content.map(safe) : content;
}

function isList(content: Content): content is readonly Content[] {
  return Array.isArray(content);
}

function stepsView(steps: readonly RemedyStep[]): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${breakable(step.text)}${blocksOf(step).map(blockView)}</li>`,
  )}</ol>`;
}

/** Longer blocks and those that undo a step are collapsed, so that the next step remains visible. */
const SHOWN_LINES = 4;

/** static/copy-buttons.js adds a copy button to elements with `data-copy`. */
function blockView(block: Block): Markup {
  const { place, fill, missing, text } = block;
  const count = text.split('\n').length;
  const commands = markup`<pre class="command" data-copy tabindex="0">${preformatted(text, marked)}</pre>`;
  const meanings = missing === '' ? null : markup`<p class="quiet">${breakable(`${missing}.`)}</p>`;
  if (count <= SHOWN_LINES && place !== 'Undo')
    return markup`<p class="quiet">${place}, ${fill}</p>${meanings}${commands}`;
  return markup`<details><summary>${place} (${count} lines), ${fill}</summary>${meanings}${commands}</details>`;
}

/** Values that the reader must fill in stand out. */
function marked(line: string): Content {
  const values = line.match(BLANK) ?? [];
  return line
    .split(BLANK)
    .map((before, index) => [before, values[index] === undefined ? null : markup`<mark>${values[index]}</mark>`]);
}

const BLANK = /FILL-IN-[A-Z0-9-]*[A-Z0-9]/gu;

export function sectionsView(sections: readonly Section[]): Markup {
  return markup`${sections.map(
    ({ title, parts }) => markup`<h2 id="${anchorOf(title)}">${title}</h2>\n${partsView(parts)}`,
  )}`;
}

export function partsView(parts: readonly Part[]): Markup {
  return markup`${parts.map((part) => markup`${partView(part)}\n`)}`;
}

/** The sections without their titles. */
export function partsOf(sections: readonly Section[]): Markup {
  return partsView(sections.flatMap(({ parts }) => parts));
}

function partView(part: Part): Content {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => markup`<p>${wordsView(line)}</p>`);
    case 'list': {
      const { first, rest } = foldedList(part);
      if (part.shown === undefined) return markup`<ul>${first.map(lineView)}</ul>`;
      const folded = markup`<details><summary>${rest.length} more</summary>
<ul class="evidence">${rest.map(lineView)}</ul></details>`;
      return markup`<ul class="evidence">${first.map(lineView)}</ul>${rest.length === 0 ? null : folded}`;
    }
    case 'steps':
      return stepsView(part.lines);
    case 'commands':
      return part.lines.map(blockView);
    case 'facts':
      return markup`<dl class="facts">${part.lines.map(
        ([name, value]) => markup`<dt>${name}</dt><dd>${wordsView(value)}</dd>`,
      )}</dl>`;
    case 'table':
      return markup`<table class="rows">
<thead><tr>${part.head.map((name) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${part.lines.map(rowView)}</tbody></table>`;
  }
}

function lineView(line: Paragraph | LinkedLine): Markup {
  return markup`<li>${itemView(line)}</li>`;
}

function rowView({ cells, tone }: Row): Markup {
  const row = cells.map((cell) => markup`<td>${wordsView(cell)}</td>`);
  return tone === undefined ? markup`<tr>${row}</tr>` : markup`<tr class="${tone}">${row}</tr>`;
}

export function wordsView(line: Paragraph): Content {
  return typeof line === 'string' ? breakable(line) : line.map(wordView);
}

function wordView(word: Word): Content {
  if (typeof word === 'string') return breakable(word);
  if ('code' in word) return markup`<code>${word.code}</code>`;
  if ('cause' in word) return markup`<a href="${word.cause}">${word.cause}</a>`;
  if ('page' in word) return markup`<a href="${word.page}">${word.title}</a>`;
  if ('at' in word) return markup`<time datetime="${isoTime(word.at)}" title="${utcText(word.at)}">${word.text}</time>`;
  if ('url' in word) return markup`<a href="${word.url}" rel="noreferrer">${word.url}</a>`;
  // The daemon does not serve the documentation, so only the file's path is shown.
  return markup`<code>docs/${word.document}</code>`;
}

function itemView(line: Paragraph | LinkedLine): Content {
  if (!isLinked(line)) return wordsView(line);
  return [line.text, ...line.links.map(([title, url]) => markup`<a href="${url}" rel="noreferrer">${title}</a>`)];
}
