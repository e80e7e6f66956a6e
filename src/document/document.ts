import type { CauseId } from '../checks/registry.ts';
import type { Block, RemedyStep } from '../engine/model.ts';

/** Plain text, which may quote strangers, names that programs know, and links: to a runbook, and to a file of the docs. */
export type Word =
  | string
  | { readonly code: string }
  | { readonly cause: CauseId }
  /** Below `docs`. */
  | { readonly document: string };

export type Paragraph = string | readonly Word[];

export type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: string];

/** A line of a list, with links of its own. */
export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

/** A part of a text, before it is one for a terminal, a page, a mail or a file of Markdown. */
export type Part =
  | { readonly kind: 'text'; readonly lines: readonly Paragraph[] }
  | { readonly kind: 'list'; readonly lines: readonly (Paragraph | LinkedLine)[] }
  /** They are numbered, each with its commands below it. */
  | { readonly kind: 'steps'; readonly lines: readonly RemedyStep[] }
  | { readonly kind: 'commands'; readonly lines: readonly Block[] };

export interface Section {
  readonly title: string;
  readonly parts: readonly Part[];
}

/** A section of one part; none where that has nothing to say. */
export function sectionOf(title: string, part: Part): readonly Section[] {
  return part.lines.length === 0 ? [] : [{ title, parts: [part] }];
}

export function plainText(line: Paragraph): string {
  return typeof line === 'string' ? line : line.map(plainWord).join('');
}

function plainWord(word: Word): string {
  if (typeof word === 'string') return word;
  if ('code' in word) return word.code;
  return 'cause' in word ? word.cause : `docs/${word.document}`;
}

export function isLinked(line: Paragraph | LinkedLine): line is LinkedLine {
  return typeof line === 'object' && 'links' in line;
}
