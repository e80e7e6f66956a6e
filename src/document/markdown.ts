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

/** The parts of the output that depend on where the file is published. */
export interface MarkdownPlace {
  /** Returns the address of a runbook. */
  runbook(cause: CauseId): string;
  /** Returns the address of a section on the page of procedures. */
  procedure(title: string): string;
  /** Returns the address of a document. @param path below `docs` */
  document(path: string): string;
  /** Returns the line above a block of commands. */
  blockHead(block: Block): string;
}

/** Returns sections below the heading of a file, as CommonMark with the extensions of GitHub. One block each. */
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

/** Joins blocks to a file. */
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
  const blocks = blocksOf(step).map((block) => commandsText(block, step.syntax === 'shell' ? 'sh' : 'text', place));
  return [`${String(index + 1)}. ${words.join(' ')}`, ...blocks].join('\n\n');
}

/** Indents the commands for the list item. */
function commandsText(block: Block, language: string, place: MarkdownPlace): string {
  const fence = '`'.repeat(Math.max(3, longestRun(block.text) + 1));
  const lines = block.text.split('\n').map((line) => visibleText(line, TEXT_LIMIT));
  return [escapedLine(place.blockHead(block)), '', `${fence}${language}`, ...lines, fence]
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}

/** A backtick in the code must not end it (CommonMark §6.1). */
function codeText(code: string): string {
  const fence = '`'.repeat(longestRun(code) + 1);
  const shown = visibleText(code, TEXT_LIMIT);
  return shown.startsWith('`') || shown.endsWith('`') ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map(({ length }) => length));
}

/** Longer texts are treated as an attempt to flood the file. */
const TEXT_LIMIT = 1_000;

/**
 * Characters that start a construct anywhere in a line. `$` starts a formula on GitHub and GitLab. The brackets in
 * `mail[].host` are no link.
 */
const ANYWHERE = /[\\<>*_`~$]|\[(?!\](?![([:]))|(?<!\[)\]|&(?=#?\w+;)/gu;

/** Escapes text, which may be untrusted, for the middle of a line. */
function escaped(text: string): string {
  return visibleText(text, TEXT_LIMIT).replaceAll(ANYWHERE, String.raw`\$&`);
}

/** Escapes a whole line, which must not become a heading, a list, a rule or indented code either. */
export function escapedLine(text: string): string {
  return escaped(text.trim()).replace(/^([#+=-]|\d{1,9}(?=[.)](?:\s|$)))/u, (begin) =>
    // A digit cannot be escaped, but the character after it can.
    /\d/u.test(begin) ? `${begin}\\` : `\\${begin}`,
  );
}
