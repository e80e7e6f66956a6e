import type { CauseId } from '../checks/registry.ts';
import { visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf, headOf } from '../engine/model.ts';
import {
  isLinked,
  type LinkedLine,
  type LinkedStep,
  type Paragraph,
  type Part,
  type Section,
  type Word,
} from './document.ts';

/** Returns the addresses that a text links to. */
export interface MarkdownLinks {
  runbook(cause: CauseId): string;
  /** @param path below `docs` */
  document(path: string): string;
  /** Returns the address of a procedure. Only runbooks link to procedures, where placeholders are explained as well. */
  readonly procedure?: (title: string) => string;
}

/** Returns sections below the heading of a file, as CommonMark with the extensions of GitHub. One block each. */
export function sectionBlocks(sections: readonly Section[], links: MarkdownLinks): readonly string[] {
  return sections.flatMap(({ title, parts }) => [
    `## ${escapedLine(title)}`,
    ...parts.map((part) => partBlock(part, links)),
  ]);
}

export function partBlock(part: Part, links: MarkdownLinks): string {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => paragraphText(line, links)).join('\n\n');
    case 'list':
      return part.lines.map((line) => itemText(line, links)).join('\n');
    case 'steps':
      return part.lines.map((step, index) => stepText(step, index, links)).join('\n');
    case 'commands':
      return part.lines.map((block) => commandsText(block, 'text', headOf(block))).join('\n\n');
  }
}

/** Joins blocks to a file. */
export function markdownFile(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

function paragraphText(line: Paragraph, links: MarkdownLinks): string {
  return typeof line === 'string' ? escapedLine(line) : line.map((word) => wordText(word, links)).join('');
}

function wordText(word: Word, links: MarkdownLinks): string {
  if (typeof word === 'string') return escaped(word);
  if ('code' in word) return codeText(word.code);
  if ('cause' in word) return `[${word.cause}](${links.runbook(word.cause)})`;
  if ('procedure' in word) return `[${word.procedure}](${links.procedure?.(word.procedure) ?? ''})`;
  return 'url' in word ? `<${word.url}>` : `[${word.document}](${links.document(word.document)})`;
}

function itemText(line: Paragraph | LinkedLine, links: MarkdownLinks): string {
  return isLinked(line)
    ? ['-', escapedLine(line.text), ...line.links.map(([, url]) => `<${url}>`)].filter((word) => word !== '').join(' ')
    : `- ${paragraphText(line, links)}`;
}

function stepText(step: LinkedStep, index: number, links: MarkdownLinks): string {
  const { text, see, syntax } = step;
  const words = [
    ...(text === '' ? [] : [escapedLine(text)]),
    ...(see === undefined ? [] : [paragraphText(see, links)]),
  ];
  const blocks = blocksOf(step).map((block) =>
    commandsText(
      block,
      syntax === 'shell' ? 'sh' : 'text',
      links.procedure === undefined ? headOf(block) : `${block.place}:`,
    ),
  );
  return [`${String(index + 1)}. ${words.join(' ')}`, ...blocks].join('\n\n');
}

/** Indents the commands for the list item. */
function commandsText(block: Block, language: string, head: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(block.text) + 1));
  const lines = block.text.split('\n').map((line) => visibleText(line, TEXT_LIMIT));
  return [escapedLine(head), '', `${fence}${language}`, ...lines, fence]
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
