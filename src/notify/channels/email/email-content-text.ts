import { wrap } from '../../../text/wrap.ts';
import type { Block } from '../../../engine/remedy.ts';
import type { EmailContent, Section } from './email-content-parts.ts';

const WIDTH = 76;

/** The message as plain text of short lines: what matters first, the small print last. */
export function emailContentText(content: EmailContent): string {
  const names = Math.max(0, ...content.facts.map(([name]) => name.length));
  return [
    content.title,
    '='.repeat(Math.min(content.title.length, WIDTH)),
    '',
    ...wrapped(content.lead, ''),
    '',
    ...content.sections.flatMap(sectionText),
    ...content.facts.flatMap(([name, value]) => wrapped(value, ' '.repeat(names + 2), `${name}:`.padEnd(names + 2))),
    '',
    '-- ',
    'ftm-watch',
    '',
  ].join('\n');
}

function sectionText(section: Section): readonly string[] {
  return [section.title, ...linesOf(section), ''];
}

function linesOf({ kind, lines, blocks = [] }: Section): readonly string[] {
  switch (kind) {
    case 'text':
      return lines.flatMap((line) => wrapped(line, '  '));
    case 'steps':
      return lines.flatMap((line, index) => [
        ...wrapped(line, '     ', `  ${String(index + 1)}. `.padEnd(5)),
        ...(blocks[index] ?? []).flatMap(blockText),
      ]);
    case 'list':
      return lines.flatMap((line) => wrapped(line, '    ', '  - '));
  }
}

/** The lines of a block are not wrapped: they are copied from the mail. */
function blockText({ label, text }: Block): readonly string[] {
  return [...wrapped(label, '     '), ...text.split('\n').map((line) => `       ${line}`)];
}

/** @param first what stands before the first line, as wide as the indent */
function wrapped(text: string, indent: string, first: string = indent): readonly string[] {
  const lines = wrap(text.trim().replaceAll(/\s+/gu, ' '), WIDTH - indent.length);
  return lines.map((line, index) => `${index === 0 ? first : indent}${line}`);
}
