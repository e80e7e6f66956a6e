import type { CauseId } from '../checks/registry.ts';
import type { Block, RemedyStep } from '../engine/model.ts';

/** Plain text (which can quote untrusted input), code, or a link to a runbook or to a file in the docs. */
export type Word =
  | string
  | { readonly code: string }
  | { readonly cause: CauseId }
  /** The path of the file below `docs`. */
  | { readonly document: string }
  /** The heading on the page of procedures. */
  | { readonly procedure: string }
  | { readonly url: string };

export type Paragraph = string | readonly Word[];

export type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: string];

/** A list item with links. */
export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

/** A step of a runbook. A message never has `see`. */
export interface LinkedStep extends RemedyStep {
  /** Words after the sentence, with a link. */
  readonly see?: readonly Word[];
}

/** A part of a text, before it is rendered for a terminal, a page, a mail or a Markdown file. */
export type Part =
  | { readonly kind: 'text'; readonly lines: readonly Paragraph[] }
  | { readonly kind: 'list'; readonly lines: readonly (Paragraph | LinkedLine)[] }
  /** Numbered steps, each with its commands below it. */
  | { readonly kind: 'steps'; readonly lines: readonly LinkedStep[] }
  | { readonly kind: 'commands'; readonly lines: readonly Block[] };

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

/** Returns a section with one part, or an empty list if the part is empty. */
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
 * Returns the same anchor as GitHub creates for a heading, so that a link works both in the docs and on the daemon's
 * page.
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
