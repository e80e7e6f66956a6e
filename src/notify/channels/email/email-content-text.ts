import type { EmailContent, Section } from './email-content-parts.ts';

const WIDTH = 76;

/** The message as plain text of short lines: what matters first, the small print last. */
export function emailContentText(content: EmailContent): string {
  const names = Math.max(0, ...content.facts.map(({ name }) => name.length));
  return [
    content.title,
    '='.repeat(Math.min(content.title.length, WIDTH)),
    '',
    ...wrap(content.lead, ''),
    '',
    ...content.sections.flatMap(sectionText),
    ...content.facts.flatMap(({ name, value }) => wrap(value, ' '.repeat(names + 2), `${name}:`.padEnd(names + 2))),
    '',
    '-- ',
    'ftm-watch',
    '',
  ].join('\n');
}

function sectionText({ title, kind, lines }: Section): readonly string[] {
  return [title, ...lines.flatMap((line, index) => lineText(kind, line, index)), ''];
}

function lineText(kind: Section['kind'], line: string, index: number): readonly string[] {
  switch (kind) {
    case 'text':
      return wrap(line, '  ');
    case 'steps':
      return wrap(line, '     ', `  ${String(index + 1)}. `.padEnd(5));
    case 'list':
      return wrap(line, '    ', '  - ');
  }
}

/** Breaks at spaces; a longer word stays whole, so that it can be copied. */
function wrap(text: string, indent: string, first: string = indent): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isBare = true;
  for (const word of text.split(/\s+/u).filter((part) => part !== '')) {
    if (!isBare && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent;
      isBare = true;
    }
    line += isBare ? word : ` ${word}`;
    isBare = false;
  }
  return [...lines, line];
}
