import { html, raw } from 'hono/html';
import { visibleText } from '../core/visible-text.ts';
import type { Severity } from '../core/severity.ts';
import {
  type Block,
  blocksOf,
  headOf,
  type PreconditionState,
  type Readiness,
  type RemedyStep,
} from '../engine/model.ts';
import { foldEvidence } from '../engine/words.ts';
import type { LinkedLine, Paragraph, Part, Section } from './document.ts';

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

/** How a state looks: one tone has one colour and one sign, wherever it appears. */
export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'unsure' | 'none' | 'info';

export const STATE_TONES: Readonly<Record<PreconditionState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  broken: 'bad',
  blocked: 'wait',
  unknown: 'unsure',
  'not-configured': 'none',
};

/** Never the colour alone: the word stands beside it. */
export const STATE_WORDS: Readonly<Record<PreconditionState, string>> = {
  ok: 'OK',
  warning: 'Warning',
  broken: 'Broken',
  blocked: 'Skipped',
  unknown: 'Unknown',
  'not-configured': 'Not configured',
};

export const SEVERITY_TONES: Readonly<Record<Severity, Tone>> = { critical: 'bad', warning: 'warn', info: 'info' };

export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Note',
};

export const READINESS_TONES: Readonly<Record<Readiness, Tone>> = {
  ready: 'good',
  'not-ready': 'bad',
  unknown: 'unsure',
};

export const READINESS_WORDS: Readonly<Record<Readiness, string>> = {
  ready: 'Ready',
  'not-ready': 'Not ready',
  unknown: 'Unknown',
};

/** Lines of evidence, what proves the most first and open. */
export function evidenceView(evidence: readonly string[]): Markup {
  const { shown, folded } = foldEvidence(evidence);
  const rest = markup`<details><summary>${folded.length} more</summary>${listView(folded)}</details>`;
  return markup`${listView(shown)}${folded.length === 0 ? null : rest}`;
}

function listView(lines: readonly string[]): Markup {
  return markup`<ul class="evidence">${lines.map((line) => markup`<li>${breakable(line)}</li>`)}</ul>`;
}

/** A remedy as a list: each block of commands is an element of its own, with nothing in it that is not copied. */
export function remedyView(steps: readonly RemedyStep[]): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${breakable(step.text)}${blocksOf(step).map(blockView)}</li>`,
  )}</ol>`;
}

/** Longer blocks are folded: the step after them is what is read next. */
const SHOWN_LINES = 4;

/** static/copy-buttons.js gives what has `data-copy` a button. */
function blockView(block: Block): Markup {
  const { label, missing, text } = block;
  const commands = markup`<pre class="command" data-copy tabindex="0">${preformatted(text)}</pre>`;
  if (text.split('\n').length <= SHOWN_LINES)
    return markup`<p class="quiet">${breakable(headOf(block))}</p>${commands}`;
  const first = missing === '' ? null : markup`<p class="quiet">${missing}</p>`;
  return markup`<details><summary>${label}</summary>${first}${commands}</details>`;
}

/** Sections below the heading of a page. */
export function sectionsView(sections: readonly Section[]): Markup {
  return markup`${sections.map(({ title, parts }) => markup`<h2>${title}</h2>\n${partsView(parts)}`)}`;
}

export function partsView(parts: readonly Part[]): Markup {
  return markup`${parts.map((part) => markup`${partView(part)}\n`)}`;
}

function partView(part: Part): Content {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => markup`<p>${wordsOf(line)}</p>`);
    case 'list':
      return markup`<ul>${part.lines.map((line) => markup`<li>${itemView(line)}</li>`)}</ul>`;
    case 'steps':
      return remedyView(part.lines);
    case 'commands':
      return part.lines.map(blockView);
  }
}

function wordsOf(line: Paragraph): Content {
  return typeof line === 'string'
    ? line
    : line.map((word) => (typeof word === 'string' ? word : markup`<code>${word.code}</code>`));
}

function itemView(line: string | LinkedLine): Content {
  if (typeof line === 'string') return line;
  return [line.text, ...line.links.map(([title, url]) => markup`<a href="${url}" rel="noreferrer">${title}</a>`)];
}
