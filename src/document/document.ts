import type { CauseId } from '../checks/registry.ts';
import type { Block, RemedyStep } from '../engine/model.ts';

/**
 * A piece of inline content: plain text (which can quote untrusted input), code, or a link to a runbook or a file in
 * the documentation.
 */
export type Word =
  | string
  | { readonly code: string }
  | { readonly cause: CauseId }
  /** The path of a documentation file, relative to `docs`. */
  | { readonly document: string }
  /** The heading of a section on the procedures page. */
  | { readonly procedure: string }
  | { readonly url: string };

export type Paragraph = string | readonly Word[];

export type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: string];

/** A list item whose text can contain links. */
export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

/** A step in a runbook. Steps in messages never have `see`. */
export interface LinkedStep extends RemedyStep {
  /** Text with a link that follows the step's sentence. */
  readonly see?: readonly Word[];
}

/** A part of a section, independent of the output format (terminal, web page, mail or Markdown). */
export type Part =
  | { readonly kind: 'text'; readonly lines: readonly Paragraph[] }
  | { readonly kind: 'list'; readonly lines: readonly (Paragraph | LinkedLine)[] }
  /** A numbered list of steps. Each step is followed by its commands. */
  | { readonly kind: 'steps'; readonly lines: readonly LinkedStep[] }
  | { readonly kind: 'commands'; readonly lines: readonly Block[] };

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

/** Returns a list with one section. The list is empty if the section's only part is empty. */
export function sectionOf(title: string, part: Part): readonly Section[] {
  return part.lines.length === 0 ? [] : [{ title, parts: [part] }];
}

export function plainText(line: Paragraph): string {
  return typeof line === 'string' ? line : line.map(plainWord).join('');
}

function plainWord(word: Word): string {
  if (typeof word === 'string') return word;
  if ('code' in word) return word.code;
  if ('cause' in word) return word.cause;
  if ('procedure' in word) return word.procedure;
  return 'url' in word ? word.url : `docs/${word.document}`;
}

/**
 * Returns the anchor for a heading. GitHub creates the same anchors, so links work both in the documentation and on the
 * daemon's pages.
 */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

export function isLinked(line: Paragraph | LinkedLine): line is LinkedLine {
  return typeof line === 'object' && 'links' in line;
}

export function section(title: string, ...parts: readonly Part[]): Section {
  return { title, parts };
}

export function text(...words: readonly Word[]): Part {
  return { kind: 'text', lines: [words] };
}

export function list(...lines: readonly (readonly Word[])[]): Part {
  return { kind: 'list', lines };
}

export function code(name: string): Word {
  return { code: name };
}
