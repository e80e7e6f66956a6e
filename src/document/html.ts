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
import {
  anchorOf,
  isLinked,
  type LinkedLine,
  type LinkedStep,
  type Paragraph,
  type Part,
  type Section,
  type Word,
} from './document.ts';

/** HTML that is safe to send, because only `markup` creates it. */
export interface Markup {
  readonly isEscaped: true;
  toString(): string;
}

export type Content = string | number | Markup | null | readonly Content[];

/** The maximum length of a text. Longer texts are treated as an attempt to flood the page. */
const TEXT_LIMIT = 1_000;

/**
 * A template tag for HTML. Inserted strings can be untrusted. They are truncated and escaped for text and quoted
 * attributes, and their control and direction characters are made visible.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  const made = html(strings, ...values.map(safe));
  if (made instanceof Promise) throw new TypeError('Cannot insert a promise into HTML: await the value first');
  return made;
}

/** Matches a port after a name, an IPv4 address or a bracket, but not the minutes of a time. */
const PORT = /(?<=\p{L}[\w.-]*|\.\d+|\]):\d{1,5}(?!\w|:\w)/gu;

/** Allows a line break before the port of a `host:port`, but not inside the port. */
export function breakable(text: string): Content {
  // Longer texts are truncated as a whole, because the pieces would be short enough not to be truncated.
  if (text.length > TEXT_LIMIT) return text;
  const ports = text.match(PORT) ?? [];
  return text
    .split(PORT)
    .map((before, index) => [
      before,
      ports[index] === undefined ? null : markup`<wbr><span class="port">${ports[index]}</span>`,
    ]);
}

/** Returns a subject, usually a `host:port`. */
export function subjectView(subject: string): Markup {
  return markup`<span class="subject">${breakable(subject)}</span>`;
}

/** Returns a trusted text with line breaks, such as PEM, which is escaped but not truncated. */
export function preformatted(text: string): Markup {
  return markup`${text.split('\n').map((line) => [line, raw('\n')])}`;
}

export function toHtml(made: Markup): string {
  return made.toString();
}

/**
 * Returns the text of an XML document made with `markup`. Its escapes are valid in XML too, but XML 1.0 (§2.2) has no
 * way to write two characters that are neither control nor format characters.
 */
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

/** The appearance of a state. A tone has the same colour and icon everywhere. */
export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'unsure' | 'none' | 'info';

export const STATE_TONES: Readonly<Record<PreconditionState, Tone>> = {
  ok: 'good',
  warning: 'warn',
  broken: 'bad',
  blocked: 'wait',
  unknown: 'unsure',
  'not-configured': 'none',
};

/** The words that are shown next to the colour, because a state is never indicated only by its colour. */
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

/** Returns the lines of evidence. The strongest evidence comes first and is not collapsed. */
export function evidenceView(evidence: readonly string[]): Markup {
  const { shown, folded } = foldEvidence(evidence);
  const rest = markup`<details><summary>${folded.length} more</summary>${listView(folded)}</details>`;
  return markup`${listView(shown)}${folded.length === 0 ? null : rest}`;
}

function listView(lines: readonly string[]): Markup {
  return markup`<ul class="evidence">${lines.map((line) => markup`<li>${breakable(line)}</li>`)}</ul>`;
}

/** Returns a remedy as a list. Each block of commands is a separate element that contains only text to copy. */
export function remedyView(steps: readonly RemedyStep[]): Markup {
  return stepsView(steps, blockView);
}

/** The placeholders in the blocks of a runbook are explained on the page of procedures. */
function runbookStepsView(steps: readonly LinkedStep[]): Markup {
  return stepsView(steps, (block) => blockView({ ...block, label: block.place, missing: '' }));
}

function stepsView(steps: readonly LinkedStep[], viewOf: (block: Block) => Markup): Markup {
  return markup`<ol class="remedy">${steps.map(
    (step) => markup`<li>${breakable(step.text)}${seeView(step)}${blocksOf(step).map(viewOf)}</li>`,
  )}</ol>`;
}

function seeView({ text, see }: LinkedStep): Content {
  return see === undefined ? null : [text === '' ? '' : ' ', see.map(wordView)];
}

/**
 * The maximum number of lines of an expanded block. Longer blocks are collapsed, so that the next step stays visible.
 */
const SHOWN_LINES = 4;

/** Returns a command with the attribute `data-copy`, to which static/copy-buttons.js adds a copy button. */
function blockView(block: Block): Markup {
  const { label, missing, text } = block;
  const commands = markup`<pre class="command" data-copy tabindex="0">${preformatted(text)}</pre>`;
  if (text.split('\n').length <= SHOWN_LINES)
    return markup`<p class="quiet">${breakable(headOf(block))}</p>${commands}`;
  const first = missing === '' ? null : markup`<p class="quiet">${missing}</p>`;
  return markup`<details><summary>${label}</summary>${first}${commands}</details>`;
}

/** Returns the sections below a page's heading. Their anchors have the same format as in the docs. */
export function sectionsView(sections: readonly Section[]): Markup {
  return markup`${sections.map(
    ({ title, parts }) => markup`<h2 id="${anchorOf(title)}">${title}</h2>\n${partsView(parts)}`,
  )}`;
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
      return runbookStepsView(part.lines);
    case 'commands':
      return part.lines.map(blockView);
  }
}

function wordsOf(line: Paragraph): Content {
  return typeof line === 'string' ? line : line.map(wordView);
}

function wordView(word: Word): Content {
  if (typeof word === 'string') return word;
  if ('code' in word) return markup`<code>${word.code}</code>`;
  if ('cause' in word) return markup`<a href="${word.cause}">${word.cause}</a>`;
  if ('procedure' in word) return markup`<a href="procedures#${anchorOf(word.procedure)}">${word.procedure}</a>`;
  if ('url' in word) return markup`<a href="${word.url}" rel="noreferrer">${word.url}</a>`;
  // The daemon does not serve the docs.
  return markup`<code>docs/${word.document}</code>`;
}

function itemView(line: Paragraph | LinkedLine): Content {
  if (!isLinked(line)) return wordsOf(line);
  return [line.text, ...line.links.map(([title, url]) => markup`<a href="${url}" rel="noreferrer">${title}</a>`)];
}
