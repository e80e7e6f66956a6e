import { type Block, blocksOf, headOf } from '../../../engine/remedy.ts';
import { wrap } from '../../../text/wrap.ts';
import type { EmailContent, Fact, LinkedLine, Part, Section } from './email-content-parts.ts';

/** Of a line, with or without the indent of a section. */
const WIDTH = 76;

/** The message as plain text of short lines: what to do first, the small print last. */
export function emailContentText({ lead, links, sections, facts, commands }: EmailContent): string {
  return [
    ...partText(lead),
    '',
    ...(links.length === 0 ? [] : [...aligned(links), '']),
    ...sections.flatMap(sectionText),
    ...aligned(facts),
    '',
    ...commands.flatMap(sectionText),
    '-- ',
    'ftm-watch',
    '',
  ].join('\n');
}

function sectionText(section: Section): readonly string[] {
  return [section.title, ...partText(section).map((line) => `  ${line}`), ''];
}

function aligned(facts: readonly Fact[]): readonly string[] {
  const names = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.flatMap(([name, value]) => wrapped(value, ' '.repeat(names + 2), `${name}:`.padEnd(names + 2)));
}

function partText(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return part.lines.flatMap((line) => wrapped(line, ''));
    case 'steps':
      return part.lines.flatMap((line, index) => {
        const number = `${String(part.first + index)}.`;
        return [...wrapped(line.text, '   ', number.padEnd(3)), ...blocksOf(line).flatMap(blockText)];
      });
    case 'blocks':
      return part.lines.flatMap(blockText);
    case 'list':
      return part.lines.flatMap(itemText);
    case 'linked':
      return part.lines.flatMap(linkedText);
  }
}

/** The lines of a block are not wrapped: they are copied from the mail. */
function blockText(block: Block): readonly string[] {
  return [...wrapped(headOf(block), '   '), ...block.text.split('\n').map((line) => `     ${line}`)];
}

function itemText(line: string): readonly string[] {
  return wrapped(line, '  ', '- ');
}

function linkedText({ text, links }: LinkedLine): readonly string[] {
  return [...itemText(text), ...aligned(links).map((line) => `  ${line}`)];
}

/** @param first what stands before the first line, as wide as the indent */
function wrapped(text: string, indent: string, first: string = indent): readonly string[] {
  const lines = wrap(text.trim().replaceAll(/\s+/gu, ' '), WIDTH - indent.length);
  return lines.map((line, index) => `${index === 0 ? first : indent}${line}`);
}
