import type { createColors } from 'picocolors';
import { visibleText } from '../core/visible-text.ts';
import { type Block, blocksOf, type Cause, headOf, type PreconditionState, type RemedyStep } from '../engine/model.ts';
import type { Severity } from '../core/severity.ts';
import { foldEvidence } from '../engine/words.ts';
import { wrap } from '../text/wrap.ts';

export interface TextStyle {
  readonly color: boolean;
  readonly width: number;
}

export type Colors = ReturnType<typeof createColors>;

/** The colour of each state, in the output of every command. */
export const STATE_COLORS = {
  ok: 'green',
  warning: 'yellow',
  broken: 'red',
  blocked: 'dim',
  unknown: 'yellow',
  'not-configured': 'dim',
} as const satisfies Record<PreconditionState, keyof Colors>;

export const SEVERITY_COLORS = { critical: 'red', warning: 'yellow', info: 'cyan' } as const satisfies Record<
  Severity,
  keyof Colors
>;

/** Longer text is truncated, because it is probably an attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

/** Wraps text that may be untrusted. The indentation works as in `wrap`. */
export function textLines(text: string, width: number, indent = '', first: string = indent): readonly string[] {
  return wrap(visibleText(text, TEXT_LIMIT), width, indent, first);
}

export function causeLines(cause: Cause, style: TextStyle, colors: Colors): readonly string[] {
  const paint = colors[SEVERITY_COLORS[cause.severity]];
  const suspected = cause.confidence === 'suspected' ? ' (suspected)' : '';
  return [
    ...textLines(`${cause.severity.toUpperCase()}${suspected}  ${cause.summary}`, style.width).map((line) =>
      paint(colors.bold(line)),
    ),
    ...section('Impact', [cause.impact], style, colors),
    ...section('Evidence', evidenceItems(cause), style, colors),
    ...remedySection(cause.remedySteps, style, colors),
  ];
}

function evidenceItems({ evidence }: Cause): readonly string[] {
  const { shown, folded } = foldEvidence(evidence);
  return folded.length === 0 ? shown : [...shown, `… and ${String(folded.length)} more (use --json to list them)`];
}

function remedySection(steps: readonly RemedyStep[], style: TextStyle, colors: Colors): readonly string[] {
  return steps.flatMap((step, index) => [
    ...section(index === 0 ? 'Remedy' : '', [`${String(index + 1)}. ${step.text}`], style, colors, steps.length > 1),
    ...blocksOf(step).flatMap((block) => blockLines(block, style, colors)),
  ]);
}

/** The lines are neither wrapped nor coloured, because users copy them. */
function blockLines(block: Block, { width }: TextStyle, colors: Colors): readonly string[] {
  const margin = ' '.repeat(SECTION_INDENT + 3);
  return [
    ...textLines(headOf(block), width, margin).map(colors.dim),
    ...block.text.split('\n').map((line) => `${margin}  ${visibleText(line, TEXT_LIMIT)}`),
  ];
}

const SECTION_INDENT = 12;

/** @param hangs true if continuation lines are indented */
function section(
  name: string,
  items: readonly string[],
  { width }: TextStyle,
  colors: Colors,
  hangs = items.length > 1,
): readonly string[] {
  const margin = ' '.repeat(SECTION_INDENT);
  const lines = items.flatMap((item) => textLines(item, width, hangs ? `${margin}   ` : margin, margin));
  const title = `  ${colors.bold(name.padEnd(SECTION_INDENT - 2))}`;
  return lines.map((line, index) => (index === 0 ? `${title}${line.slice(SECTION_INDENT)}` : line));
}
