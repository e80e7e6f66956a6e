import { visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf, type Cause, headOf } from '../engine/model.ts';
import { wrap } from '../text/wrap.ts';
import { type Colors, SEVERITY_COLORS } from './colors.ts';
import { foldedList, isLinked, type Part, plainText, type Section } from './document.ts';
import { evidenceSection, impactSection, remedySection } from './incident-story.ts';

export interface TextStyle {
  readonly color: boolean;
  readonly width: number;
}

/** Longer text is truncated, because it is probably an attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

/** Wraps text that may be untrusted. The indentation works as in `wrap`. */
export function textLines(text: string, width: number, indent = '', first: string = indent): readonly string[] {
  return wrap(visibleText(text, TEXT_LIMIT), width, indent, first);
}

export function causeLines(cause: Cause, style: TextStyle, colors: Colors): readonly string[] {
  const paint = colors[SEVERITY_COLORS[cause.severity]];
  const suspected = cause.confidence === 'suspected' ? ' (suspected)' : '';
  // The remedy is last, because readers see the end of the output first.
  const sections = [...impactSection(cause), ...evidenceSection(cause), ...remedySection(cause)];
  return [
    ...textLines(`${cause.severity.toUpperCase()}${suspected}  ${cause.summary}`, style.width).map((line) =>
      paint(colors.bold(line)),
    ),
    ...sections.flatMap((section) => sectionLines(section, style, colors)),
  ];
}

const SECTION_INDENT = 14;
const MARGIN = ' '.repeat(SECTION_INDENT);

/** The title stands left of the first line. */
function sectionLines({ title, parts }: Section, style: TextStyle, colors: Colors): readonly string[] {
  const name = `  ${colors.bold(title.padEnd(SECTION_INDENT - 2))}`;
  return parts
    .flatMap((part) => partLines(part, style, colors))
    .map((line, index) => (index === 0 ? `${name}${line.slice(SECTION_INDENT)}` : line));
}

function partLines(part: Part, style: TextStyle, colors: Colors): readonly string[] {
  switch (part.kind) {
    case 'text':
      return itemLines(part.lines.map(plainText), style);
    case 'list': {
      const { first, rest } = foldedList(part);
      const more = rest.length === 0 ? [] : [`… and ${String(rest.length)} more (use --json to list them)`];
      return itemLines([...first.map((line) => (isLinked(line) ? line.text : plainText(line))), ...more], style);
    }
    case 'steps':
      return part.lines.flatMap((step, index) => [
        ...itemLines([`${String(index + 1)}. ${step.text}`], style, part.lines.length > 1),
        ...blocksOf(step).flatMap((block) => blockLines(block, style, colors)),
      ]);
    case 'commands':
      return part.lines.flatMap((block) => blockLines(block, style, colors));
    case 'facts':
      return itemLines(
        part.lines.map(([name, value]) => `${name}: ${plainText(value)}`),
        style,
      );
    case 'table':
      return itemLines(
        part.lines.map(({ cells }) => cells.map(plainText).join('  ')),
        style,
      );
  }
}

/** @param hangs true if continuation lines are indented */
function itemLines(items: readonly string[], { width }: TextStyle, hangs = items.length > 1): readonly string[] {
  return items.flatMap((item) => textLines(item, width, hangs ? `${MARGIN}   ` : MARGIN, MARGIN));
}

/** The lines are neither wrapped nor coloured, because users copy them. */
function blockLines(block: Block, { width }: TextStyle, colors: Colors): readonly string[] {
  const margin = `${MARGIN}   `;
  return [
    ...textLines(headOf(block), width, margin).map(colors.dim),
    ...block.text.split('\n').map((line) => `${margin}  ${visibleText(line, TEXT_LIMIT)}`),
  ];
}
