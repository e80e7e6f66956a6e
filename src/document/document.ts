import type { CauseId } from '../checks/registry.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Block, RemedyStep } from '../engine/model.ts';

/** Plain text may quote untrusted input. */
export type Word =
  | string
  | { readonly code: string }
  | { readonly cause: CauseId }
  /** A path relative to `docs`. */
  | { readonly document: string }
  /** A page of the runbooks that is not about a cause, such as `procedures#help`. */
  | { readonly page: string; readonly title: string }
  | { readonly url: string }
  | TimeWord;

/** A time, and how it is written in this output. */
export interface TimeWord {
  readonly at: EpochMs;
  readonly text: string;
}

/** How an output writes times. */
export type TimeStyle = (at: EpochMs) => string;

export type Paragraph = string | readonly Word[];

export type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: Paragraph];

export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'unsure' | 'none' | 'info';

export interface Row {
  readonly cells: readonly Paragraph[];
  /** A tone only repeats what the text says. */
  readonly tone?: Tone;
}

export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

/** Independent of the output format (terminal, web page, mail or Markdown). */
export type Part =
  | { readonly kind: 'text'; readonly lines: readonly Paragraph[] }
  | List
  | { readonly kind: 'steps'; readonly lines: readonly RemedyStep[] }
  | { readonly kind: 'commands'; readonly lines: readonly Block[] }
  | { readonly kind: 'facts'; readonly lines: readonly Fact[] }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly lines: readonly Row[] };

interface List {
  readonly kind: 'list';
  readonly lines: readonly (Paragraph | LinkedLine)[];
  /** The number of lines before the list is folded. Absent if it is never folded. */
  readonly shown?: number;
}

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

/** Leaves out empty parts. Returns no section if all are empty. */
export function sectionOf(title: string, ...parts: readonly Part[]): readonly Section[] {
  const filled = parts.filter(({ lines }) => lines.length > 0);
  return filled.length === 0 ? [] : [{ title, parts: filled }];
}

export function plainText(line: Paragraph): string {
  return typeof line === 'string' ? line : line.map(plainWord).join('');
}

function plainWord(word: Word): string {
  if (typeof word === 'string') return word;
  if ('code' in word) return word.code;
  if ('cause' in word) return word.cause;
  if ('page' in word) return word.title;
  if ('at' in word) return word.text;
  return 'url' in word ? word.url : `docs/${word.document}`;
}

/** GitHub creates the same anchors, so links work both in the documentation and on the daemon's pages. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

export function isLinked(line: Paragraph | LinkedLine): line is LinkedLine {
  return typeof line === 'object' && 'links' in line;
}

/** Returns the lines of a list that an output without links shows, and how many it leaves out. */
export function foldedList({ lines, shown = lines.length }: List): {
  readonly first: List['lines'];
  readonly rest: List['lines'];
} {
  return { first: lines.slice(0, shown), rest: lines.slice(shown) };
}

export function firstLines(lines: readonly string[], most: number): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `and ${String(lines.length - most)} more`];
}

export function section(title: string, ...parts: readonly Part[]): Section {
  return { title, parts };
}

/** In strings, text between backticks becomes code. */
export function text(...words: readonly Word[]): Part {
  return { kind: 'text', lines: [words.flatMap(withCode)] };
}

/** In strings, text between backticks becomes code. */
export function list(...lines: readonly (readonly Word[])[]): Part {
  return { kind: 'list', lines: lines.map((words) => words.flatMap(withCode)) };
}

function withCode(word: Word): readonly Word[] {
  if (typeof word !== 'string') return [word];
  return word.split('`').map((piece, index) => (index % 2 === 0 ? piece : { code: piece }));
}
