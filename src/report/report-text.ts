import type { PreconditionState } from '../engine/precondition-state.ts';
import { createColors } from 'picocolors';

import type { Cause } from '../engine/cause.ts';
import { type Block, blocksOf, headOf, type RemedyStep } from '../engine/remedy.ts';
import type { Diagnosis, PreconditionStatus, Readiness } from '../engine/diagnosis.ts';
import { foldEvidence } from '../engine/words/evidence-line.ts';
import { titleOf } from '../checks/registry.ts';
import { utcText } from '../core/instant-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { wrap } from '../text/wrap.ts';
import type { UnseenIncident } from './unseen-incidents.ts';

export interface TextStyle {
  readonly color: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

/** A single text longer than this is somebody's attempt to flood the terminal. */
const TEXT_LIMIT = 1_000;

type Colors = ReturnType<typeof createColors>;

export const MARKS: Readonly<Record<PreconditionState, string>> = {
  ok: '✔',
  warning: '!',
  broken: '✘',
  blocked: '·',
  unknown: '?',
  'not-configured': '–',
};

export const CONCLUSIONS: Readonly<Record<Readiness, string>> = {
  ready: 'all configured checks pass',
  'not-ready': 'FortiToken Mobile activation does not work from here',
  unknown: 'not everything could be judged',
};

export interface DiagnosisAsides {
  readonly note?: string | null;
  /** Open incidents of the daemon that this diagnosis does not show. */
  readonly unseen?: readonly UnseenIncident[];
}

/**
 * The diagnosis for a person at a terminal: checklist, causes with evidence and remedy, a note if there is one,
 * conclusion. Ends with a line break.
 */
export function renderDiagnosis(
  diagnosis: Diagnosis,
  style: TextStyle,
  { note = null, unseen = [] }: DiagnosisAsides = {},
): string {
  const colors = createColors(style.color);
  return [
    `${colors.bold('ftm-watch')}  ${visibleText(diagnosis.site, TEXT_LIMIT)}  ${new Date(diagnosis.at).toISOString()}`,
    '',
    ...diagnosis.preconditions.flatMap((status) => checklistLine(status, style, colors)),
    '',
    ...diagnosis.causes.flatMap((cause) => [...causeLines(cause, style, colors), '']),
    ...(note === null ? [] : [...wrap(note, style.width).map((line) => colors.yellow(line)), '']),
    ...unseen.flatMap((incident) => [...unseenLines(incident, style, colors), '']),
    conclusion(diagnosis, unseen, colors),
    '',
  ].join('\n');
}

function checklistLine(
  { id, state, summary, findings }: PreconditionStatus,
  style: TextStyle,
  colors: Colors,
): readonly string[] {
  const paint = painter(state, colors);
  const label = `  ${paint(MARKS[state])} ${titleOf(id).padEnd(20)}`;
  // A warning that suggests no cause is told nowhere else, when something graver takes the summary.
  const asides = findings.filter(
    ({ level, suggests }) => level === 'note' || (level === 'warning' && suggests === null),
  );
  const notes = asides.map(({ subject, claim }) => `${subject}: ${claim}`).filter((note) => note !== summary);
  const [first = '', ...rest] = [summary, ...notes].flatMap((text) =>
    wrap(visibleText(text, TEXT_LIMIT), style.width - INDENT),
  );
  return [
    `${label}${state === 'ok' ? first : paint(first)}`,
    ...rest.map((line) => `${' '.repeat(INDENT)}${colors.dim(line)}`),
  ];
}

const INDENT = 24;

function painter(state: PreconditionState, colors: Colors): (text: string) => string {
  switch (state) {
    case 'ok':
      return colors.green;
    case 'broken':
      return colors.red;
    case 'warning':
    case 'unknown':
      return colors.yellow;
    case 'blocked':
    case 'not-configured':
      return colors.dim;
  }
}

export function causeLines(cause: Cause, style: TextStyle, colors: Colors): readonly string[] {
  const paint = cause.severity === 'critical' ? colors.red : cause.severity === 'warning' ? colors.yellow : colors.cyan;
  const suspected = cause.confidence === 'suspected' ? ' (suspected)' : '';
  return [
    ...wrap(`${cause.severity.toUpperCase()}${suspected}  ${visibleText(cause.summary, TEXT_LIMIT)}`, style.width).map(
      (line) => paint(colors.bold(line)),
    ),
    ...section('Impact', [cause.impact], style, colors),
    ...section('Evidence', evidenceItems(cause), style, colors),
    ...remedySection(cause.remedySteps, style, colors),
  ];
}

function evidenceItems({ evidence }: Cause): readonly string[] {
  const { shown, folded } = foldEvidence(evidence);
  return folded.length === 0 ? shown : [...shown, `… and ${String(folded.length)} more, with --json`];
}

function remedySection(steps: readonly RemedyStep[], style: TextStyle, colors: Colors): readonly string[] {
  return steps.flatMap((step, index) => [
    ...section(
      index === 0 ? 'Remedy' : '',
      [`${String(index + 1)}. ${step.text}`],
      { ...style, hangs: steps.length > 1 },
      colors,
    ),
    ...blocksOf(step).flatMap((block) => blockLines(block, style, colors)),
  ]);
}

/** The lines of a block are neither wrapped nor coloured: they are copied from the terminal. */
function blockLines(block: Block, { width }: TextStyle, colors: Colors): readonly string[] {
  const margin = ' '.repeat(SECTION_INDENT + 3);
  return [
    ...wrap(visibleText(headOf(block), TEXT_LIMIT), width - margin.length).map(
      (line) => `${margin}${colors.dim(line)}`,
    ),
    ...block.text.split('\n').map((line) => `${margin}  ${visibleText(line, TEXT_LIMIT)}`),
  ];
}

interface ItemStyle extends TextStyle {
  /** Items that stand one below the other are told apart by their hanging second lines. */
  readonly hangs?: boolean;
}

function section(name: string, items: readonly string[], style: ItemStyle, colors: Colors): readonly string[] {
  const hang = (style.hangs ?? items.length > 1) ? '   ' : '';
  const lines = items.flatMap((item) =>
    wrap(visibleText(item, TEXT_LIMIT), style.width - SECTION_INDENT - hang.length).map((line, index) =>
      index === 0 ? line : `${hang}${line}`,
    ),
  );
  return lines.map(
    (line, index) =>
      `  ${index === 0 ? colors.bold(name.padEnd(SECTION_INDENT - 2)) : ' '.repeat(SECTION_INDENT - 2)}${line}`,
  );
}

const SECTION_INDENT = 12;

function unseenLines(incident: UnseenIncident, { width }: TextStyle, colors: Colors): readonly string[] {
  const { severity, summary, since, lastSeen, id, isContradicted } = incident;
  const why = isContradicted
    ? 'This check did not see it. The incident ends when the next rounds of the daemon do not see it either.'
    : 'This check could not see it: it makes one connection to each address, and does not receive the log.';
  const paint = severity === 'critical' && !isContradicted ? colors.red : colors.yellow;
  return [
    `Open incident of the daemon, since ${utcText(Date.parse(since))}: ${visibleText(summary, TEXT_LIMIT)}`,
    `Last seen ${utcText(Date.parse(lastSeen))}. ${why} Its id is ${visibleText(id, TEXT_LIMIT)}.`,
  ].flatMap((text) => wrap(text, width).map(paint));
}

function hiddenConclusion(hidden: readonly UnseenIncident[], colors: Colors): string {
  const isCritical = hidden.some(({ severity }) => severity === 'critical');
  const but = 'all checks of this round pass, but an incident of the daemon is open, see above.';
  return isCritical ? colors.red(`NOT READY: ${but}`) : colors.yellow(`READY: ${but}`);
}

function conclusion(diagnosis: Diagnosis, unseen: readonly UnseenIncident[], colors: Colors): string {
  const { ready, causes } = diagnosis;
  const hidden = unseen.filter(({ isContradicted }) => !isContradicted);
  if (ready === 'ready' && hidden.length > 0) return hiddenConclusion(hidden, colors);
  const warns = ready === 'ready' && (unseen.length > 0 || causes.some(({ severity }) => severity === 'warning'));
  const word = ready.replace('-', ' ').toUpperCase();
  const text = `${word}: ${CONCLUSIONS[ready]}.${warns ? ' See the warnings above.' : ''}`;
  return ready === 'ready' ? colors.green(text) : ready === 'not-ready' ? colors.red(text) : colors.yellow(text);
}
