import { unlinked, visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf, type RemedyStep } from '../engine/model.ts';
import { isLinked, type LinkedLine, type Paragraph, type Part, type Section, type Word } from './document.ts';

/** The parts that depend on where the Markdown file is published. */
export interface MarkdownPlace {
  /** @param path the ID of a cause, or another page of the runbooks, such as `procedures#help` */
  runbook(path: string): string;
  /** @param path relative to `docs` */
  document(path: string): string;
  /** Empty for none. */
  blockHead(block: Block): string;
  /** If true, untrusted text must not become a mention, a reference or a link. */
  readonly isUntrusted: boolean;
}

/** CommonMark with GitHub's extensions. Each string is one Markdown block. */
export function sectionBlocks(sections: readonly Section[], place: MarkdownPlace): readonly string[] {
  return sections.flatMap(({ title, parts }) => [
    `## ${lineText(title, place)}`,
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
    case 'facts':
      return part.lines.map(([name, value]) => itemText([`${name}: `, ...wordsOf(value)], place)).join('\n');
    // Readable without being rendered.
    case 'table':
      return part.lines.map(({ cells }) => itemText(cells.flatMap(cellWords), place)).join('\n');
  }
}

function cellWords(cell: Paragraph, index: number): readonly Word[] {
  return index === 0 ? wordsOf(cell) : [': ', ...wordsOf(cell)];
}

export function markdownFile(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

function wordsOf(line: Paragraph): readonly Word[] {
  return typeof line === 'string' ? [line] : line;
}

function paragraphText(line: Paragraph, place: MarkdownPlace): string {
  return typeof line === 'string' ? lineText(line, place) : line.map((word) => wordText(word, place)).join('');
}

function wordText(word: Word, place: MarkdownPlace): string {
  if (typeof word === 'string') return place.isUntrusted ? unlinked(escaped(word)) : escaped(word);
  if ('code' in word) return codeText(word.code);
  if ('cause' in word) return `[${word.cause}](${place.runbook(word.cause)})`;
  if ('page' in word) return `[${word.title}](${place.runbook(word.page)})`;
  if ('at' in word) return escaped(word.text);
  return 'url' in word ? `<${word.url}>` : `[${word.document}](${place.document(word.document)})`;
}

function itemText(line: Paragraph | LinkedLine, place: MarkdownPlace): string {
  return isLinked(line)
    ? ['-', lineText(line.text, place), ...line.links.map(([, url]) => `<${url}>`)]
        .filter((word) => word !== '')
        .join(' ')
    : `- ${paragraphText(line, place)}`;
}

function stepText(step: RemedyStep, index: number, place: MarkdownPlace): string {
  const marker = `${String(index + 1)}. `;
  const blocks = blocksOf(step).map((block) =>
    commandsText(block, step.syntax === 'shell' ? 'sh' : 'text', place, marker.length),
  );
  return [`${marker}${lineText(step.text, place)}`, ...blocks].join('\n\n');
}

/** The indentation makes the block part of its list item. */
function commandsText(block: Block, language: string, place: MarkdownPlace, indent = 3): string {
  const fence = '`'.repeat(Math.max(3, longestRun(block.text) + 1));
  const lines = block.text.split('\n').map((line) => visibleText(line, TEXT_LIMIT));
  const head = place.blockHead(block);
  return [...(head === '' ? [] : [lineText(head, place), '']), `${fence}${language}`, ...lines, fence]
    .map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`))
    .join('\n');
}

/** The delimiter must be longer than any run of backticks in the code (CommonMark §6.1). */
function codeText(code: string): string {
  const fence = '`'.repeat(longestRun(code) + 1);
  const shown = visibleText(code, TEXT_LIMIT);
  return shown.startsWith('`') || shown.endsWith('`') ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/gu) ?? []).map(({ length }) => length));
}

/** Longer text is truncated, because it is probably an attempt to flood the file. */
const TEXT_LIMIT = 1_000;

/**
 * Characters with a special meaning anywhere in a line. On GitHub and GitLab, `$` starts a formula. On Discord, `||`
 * hides text. Brackets as in `mail[].host` are not escaped, because they do not form a link.
 */
const ANYWHERE = /[\\<>*_`~$|]|\[(?!\](?![([:]))|(?<!\[)\]|&(?=#?\w+;)/gu;

function escaped(text: string): string {
  return visibleText(text, TEXT_LIMIT).replaceAll(ANYWHERE, String.raw`\$&`);
}

function lineText(line: string, place: MarkdownPlace): string {
  return place.isUntrusted ? inertLine(line) : escapedLine(line);
}

/** Returns a line that CommonMark, GitHub and Discord display as plain text. */
export function inertLine(text: string): string {
  return unlinked(escapedLine(text));
}

/** Prevents a line from becoming a heading, list, rule or indented code block. */
function escapedLine(text: string): string {
  return escaped(text.trim()).replace(/^([#+=-]|\d{1,9}(?=[.)](?:\s|$)))/u, (begin) =>
    // Digits cannot be escaped, so the character after them is.
    /\d/u.test(begin) ? `${begin}\\` : `\\${begin}`,
  );
}
