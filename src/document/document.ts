import type { Block, RemedyStep } from '../engine/model.ts';

/** A paragraph: plain text, which may quote strangers, and names that programs know. */
export type Paragraph = string | readonly (string | { readonly code: string })[];

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
  | { readonly kind: 'list'; readonly lines: readonly (string | LinkedLine)[] }
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
  return typeof line === 'string' ? line : line.map((word) => (typeof word === 'string' ? word : word.code)).join('');
}
