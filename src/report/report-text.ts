import { createColors } from 'picocolors';
import {
  type PreconditionState,
  type Cause,
  type Block,
  blocksOf,
  headOf,
  type RemedyStep,
  type Diagnosis,
  type PreconditionStatus,
  type Readiness,
} from '../engine/model.ts';
import { foldEvidence } from '../engine/words.ts';
import { titleOf, isFaultId, preconditionOf } from '../checks/registry.ts';
import { utcText, isoTime } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { wrap } from '../text/wrap.ts';
import type { JudgedEndpoint } from '../checks/tls-genuine/judge-path.ts';
import type { RoundObservations } from '../core/round.ts';
import { type RoundResult, maskedDiagnosis } from './report-contents.ts';
import type { Mask } from '../text/mask.ts';
import { mailLine, milliseconds, pathLines, shown } from './path-lines.ts';
import { LOG_CHECKS } from '../checks/assess.ts';
import { INTERMITTENT_RULE } from '../checks/intermittent/finding.ts';
import type { Severity } from '../core/severity.ts';

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

const PLAIN = { color: false, width: 100 };

/**
 * What was concluded, as `check` prints it, then every answer with its times, and the verdict on every chain; without
 * names of people.
 */
export function checklistText({ diagnosis, observations, judged }: RoundResult, version: string, mask: Mask): string {
  return [
    `ftm-watch ${version}: evidence of ${isoTime(observations.startedAt)}`,
    '',
    // Before it is wrapped: a name may end on the next line.
    renderDiagnosis(maskedDiagnosis(diagnosis, mask), PLAIN),
    answersText(observations, mask),
    ...judged.tls
      .flatMap(({ judged: { endpoints } }) => endpoints.flatMap(verdictLines))
      .map((line) => mask.line(line)),
  ].join('\n');
}

/** Every answer of a round with its times, a line each, without names of people. */
export function answersText({ path, controls, mail, durationMs, stalledMs }: RoundObservations, mask: Mask): string {
  return [
    `The round took ${milliseconds(durationMs)}; this process stalled for ${milliseconds(stalledMs)} of it ` +
      'at the longest.',
    '',
    ...[path.licenseServer, ...path.services, ...controls].flatMap((seen) => [
      heading(`Path to ${seen.subject}`),
      ...pathLines(seen),
      '',
    ]),
    ...(mail.length === 0 ? [] : [heading('Mail'), ...mail.map(mailLine), '']),
  ]
    .map((line) => mask.line(line))
    .join('\n');
}

function verdictLines({ endpoint, outcome, judgement }: JudgedEndpoint): readonly string[] {
  return [
    heading(`Certificates of ${endpoint.target} at ${endpoint.address}`),
    `Verdict: ${judgement.verdict} (${judgement.confidence}). ${shown(judgement.summary)}`,
    ...(judgement.wouldSettle === null ? [] : [`What would settle it: ${shown(judgement.wouldSettle)}`]),
    ...(outcome.chain === null ? ['No certificate was sent.'] : []),
    '',
  ];
}

function heading(text: string): string {
  return `== ${shown(text)} ==\n`;
}

/** What is confirmed and not over, as the daemon keeps it. */
export interface OpenIncident {
  readonly id: string;
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly summary: string;
  /** ISO 8601. */
  readonly since: string;
  /** ISO 8601: the last round that showed it. */
  readonly lastSeen: string;
}

/** An open incident of the daemon that one check does not show. */
export interface UnseenIncident extends OpenIncident {
  /** One check can contradict it. It cannot where it would take more connections, or the log of FortiAuthenticator. */
  readonly isContradicted: boolean;
}

interface DaemonView {
  readonly preconditions: readonly { readonly id: string; readonly findings: readonly { readonly rule: string }[] }[];
}

/** Notes are left out. */
export function unseenIncidents(
  own: Pick<Diagnosis, 'causes'>,
  daemon: { readonly diagnosis: DaemonView; readonly incidents: readonly OpenIncident[] },
): readonly UnseenIncident[] {
  return daemon.incidents
    .filter(({ severity }) => severity !== 'info')
    .filter(({ cause, subject }) => !own.causes.some((seen) => seen.id === cause && seen.subject === subject))
    .map((incident) => ({ ...incident, isContradicted: !isOutOfReach(incident, daemon.diagnosis) }));
}

function isOutOfReach({ cause }: OpenIncident, { preconditions }: DaemonView): boolean {
  if (!isFaultId(cause)) return false;
  const precondition = preconditionOf(cause);
  const now = preconditions.find(({ id }) => id === precondition);
  return LOG_CHECKS.includes(precondition) || now?.findings.some(({ rule }) => rule === INTERMITTENT_RULE) === true;
}
