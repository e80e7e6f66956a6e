import type { CauseId } from '../checks/registry.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf } from '../engine/model.ts';
import {
  isLinked,
  type LinkedLine,
  type LinkedStep,
  type Paragraph,
  type Part,
  type Section,
  type Word,
} from './document.ts';

/** The links and labels that depend on where the Markdown file is published. */
export interface MarkdownPlace {
  /** Returns the URL of a cause's runbook. */
  runbook(cause: CauseId): string;
  /** Returns the URL of a section on the procedures page. */
  procedure(title: string): string;
  /** Returns the URL of a documentation file. @param path the file's path relative to `docs` */
  document(path: string): string;
  /** Returns the line that precedes a command block. */
  blockHead(block: Block): string;
}

/** Formats sections as CommonMark with GitHub's extensions. Each returned string is one Markdown block. */
export function sectionBlocks(sections: readonly Section[], place: MarkdownPlace): readonly string[] {
  return sections.flatMap(({ title, parts }) => [
    `## ${escapedLine(title)}`,
    ...parts.map((part) => partBlock(part, place)),
  ]);
}

export function partBlock(part: Part, place: MarkdownPlace): string {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => paragraphText(line, place)).join('\n\n');
    case 'list':
      return part.lines.map((line) => itemText(line, place)).join('\n');
    case 'steps':
      return part.lines.map((step, index) => stepText(step, index, place)).join('\n');
    case 'commands':
      return part.lines.map((block) => commandsText(block, 'text', place)).join('\n\n');
  }
}

/** Joins Markdown blocks into the text of a file. */
export function markdownFile(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

function paragraphText(line: Paragraph, place: MarkdownPlace): string {
  return typeof line === 'string' ? escapedLine(line) : line.map((word) => wordText(word, place)).join('');
}

function wordText(word: Word, place: MarkdownPlace): string {
  if (typeof word === 'string') return escaped(word);
  if ('code' in word) return codeText(word.code);
  if ('cause' in word) return `[${word.cause}](${place.runbook(word.cause)})`;
  if ('procedure' in word) return `[${word.procedure}](${place.procedure(word.procedure)})`;
  return 'url' in word ? `<${word.url}>` : `[${word.document}](${place.document(word.document)})`;
}

function itemText(line: Paragraph | LinkedLine, place: MarkdownPlace): string {
  return isLinked(line)
    ? ['-', escapedLine(line.text), ...line.links.map(([, url]) => `<${url}>`)].filter((word) => word !== '').join(' ')
    : `- ${paragraphText(line, place)}`;
}

function stepText(step: LinkedStep, index: number, place: MarkdownPlace): string {
  const { text, see } = step;
  const words = [
    ...(text === '' ? [] : [escapedLine(text)]),
    ...(see === undefined ? [] : [paragraphText(see, place)]),
  ];
  const marker = `${String(index + 1)}. `;
  const blocks = blocksOf(step).map((block) =>
    commandsText(block, step.syntax === 'shell' ? 'sh' : 'text', place, marker.length),
  );
  return [`${marker}${words.join(' ')}`, ...blocks].join('\n\n');
}

/** Formats a command block, indented so that it belongs to its list item. */
function commandsText(block: Block, language: string, place: MarkdownPlace, indent = 3): string {
  const fence = '`'.repeat(Math.max(3, longestRun(block.text) + 1));
  const lines = block.text.split('\n').map((line) => visibleText(line, TEXT_LIMIT));
  return [escapedLine(place.blockHead(block)), '', `${fence}${language}`, ...lines, fence]
    .map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`))
    .join('\n');
}

/** Formats inline code. If the code contains backticks, the delimiter is longer than these (CommonMark §6.1). */
function codeText(code: string): string {
  const fence = '`'.repeat(longestRun(code) + 1);
  const shown = visibleText(code, TEXT_LIMIT);
  return shown.startsWith('`') || shown.endsWith('`') ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map(({ length }) => length));
}

/** The maximum length of text. Longer text is probably an attempt to flood the file, and is truncated. */
const TEXT_LIMIT = 1_000;

/**
 * Matches characters that have a special meaning anywhere in a line. On GitHub and GitLab, `$` starts a formula.
 * Brackets as in `mail[].host` are excluded, because they do not form a link.
 */
const ANYWHERE = /[\\<>*_`~$]|\[(?!\](?![([:]))|(?<!\[)\]|&(?=#?\w+;)/gu;

/** Escapes possibly untrusted text for use within a line. */
function escaped(text: string): string {
  return visibleText(text, TEXT_LIMIT).replaceAll(ANYWHERE, String.raw`\$&`);
}

/** Escapes a complete line of text, so that it does not become a heading, list, rule or indented code block. */
export function escapedLine(text: string): string {
  return escaped(text.trim()).replace(/^([#+=-]|\d{1,9}(?=[.)](?:\s|$)))/u, (begin) =>
    // Digits cannot be escaped, so the character after the digits is escaped instead.
    /\d/u.test(begin) ? `${begin}\\` : `\\${begin}`,
  );
}
