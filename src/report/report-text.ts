import { createColors } from 'picocolors';
import type { Cause, PreconditionState, Diagnosis } from '../engine/model.ts';
import { clauseOf } from '../engine/words.ts';
import { checksOf, isFaultId, preconditionOf } from '../checks/registry.ts';
import { utcText } from '../core/time-text.ts';
import { visibleText } from '../core/visible-text.ts';
import { type ChecklistItem, checklistOf } from '../document/checklist.ts';
import { CHECK_EXIT, type CheckExit, type OpenIncident, READINESS_TEXTS } from '../document/site-state.ts';
import { type Colors, STATE_COLORS } from '../document/colors.ts';
import { causeLines, type TextStyle, textLines } from '../document/terminal.ts';
import { INTERMITTENT_RULE } from '../checks/intermittent/finding.ts';
import {
  activationOutlook,
  type ActivationStep,
  type StepAnswer,
  outlookSentence,
} from '../checks/activation-steps.ts';
import { headline, leftOutSentence } from '../checks/headline.ts';
import type { MailRoot } from './seen.ts';
import type { RepairAnswer, RepairVerdict } from '../checks/repair-verdict.ts';

export const MARKS: Readonly<Record<PreconditionState, string>> = {
  ok: '✔',
  warning: '!',
  broken: '✘',
  blocked: '·',
  unknown: '?',
  'not-configured': '–',
};

export interface DiagnosisAsides {
  /** Also lists each check that is OK or not configured. */
  readonly all?: boolean;
  readonly note?: string | null;
  /** The daemon's open incidents that are not part of this diagnosis. */
  readonly unseen?: readonly UnseenIncident[];
}

export function renderDiagnosis(
  diagnosis: Diagnosis,
  style: TextStyle,
  { note = null, unseen = [], all = false }: DiagnosisAsides = {},
): string {
  const colors = createColors(style.color);
  const { items, gathered } = checklistOf(diagnosis, all ? 'whole' : 'path');
  return [
    `${colors.bold('ftm-watch')}  ${visibleText(diagnosis.site, 100)}  ${new Date(diagnosis.at).toISOString()}`,
    '',
    ...items.flatMap((item) => checklistLine(item, style, colors)),
    ...gathered.flatMap(({ state, title, names }) =>
      textLines(`${title}: ${names}`, style.width, '    ', `  ${MARKS[state]} `).map(colors[STATE_COLORS[state]]),
    ),
    '',
    ...diagnosis.causes.flatMap((cause) => [...causeLines(cause, style, colors), '']),
    ...(note === null ? [] : [...textLines(note, style.width).map(colors.yellow), '']),
    ...unseen.flatMap((incident) => [...unseenLines(incident, style, colors), '']),
    conclusion(diagnosis, unseen, colors),
    '',
  ].join('\n');
}

function checklistLine(item: ChecklistItem, style: TextStyle, colors: Colors): readonly string[] {
  const { state, title, summary, notes } = item;
  const paint = colors[STATE_COLORS[state]];
  const label = `  ${paint(MARKS[state])} ${title.padEnd(20)}`;
  const texts = [summary, ...notes.map(({ subject, claim }) => `${subject}: ${claim}`)];
  const [first = '', ...rest] = texts.flatMap((text) => textLines(text, style.width, INDENT));
  const shown = first.slice(INDENT.length);
  return [`${label}${state === 'ok' ? shown : paint(shown)}`, ...rest.map(colors.dim)];
}

const INDENT = ' '.repeat(24);

function unseenLines(incident: UnseenIncident, { width }: TextStyle, colors: Colors): readonly string[] {
  const { severity, summary, since, lastSeen, id, isContradicted } = incident;
  const why = isContradicted
    ? "This check did not find the fault. The incident ends if the daemon's next checks do not find it either."
    : 'This check cannot detect the fault, because it makes only one connection to each address and does not ' +
      'receive the log.';
  const paint = severity === 'critical' && !isContradicted ? colors.red : colors.yellow;
  return [
    `Open incident (daemon), since ${utcText(Date.parse(since))}: ${summary}`,
    `Last seen ${utcText(Date.parse(lastSeen))}. ${why} The incident's id is ${id}.`,
  ].flatMap((text) => textLines(text, width).map(paint));
}

function hiddenConclusion(hidden: readonly UnseenIncident[], colors: Colors): string {
  const isCritical = hidden.some(({ severity }) => severity === 'critical');
  const but = 'all checks pass now, but the daemon has an open incident (see above).';
  return isCritical ? colors.red(`NOT READY: ${but}`) : colors.yellow(`READY: ${but}`);
}

function conclusion(diagnosis: Diagnosis, unseen: readonly UnseenIncident[], colors: Colors): string {
  const { ready, causes } = diagnosis;
  const hidden = unseen.filter(({ isContradicted }) => !isContradicted);
  if (ready === 'ready' && hidden.length > 0) return hiddenConclusion(hidden, colors);
  const warns = ready === 'ready' && (unseen.length > 0 || causes.some(({ severity }) => severity === 'warning'));
  const word = ready.replace('-', ' ').toUpperCase();
  const leftOut = leftOutSentence(diagnosis);
  const [first] = ready === 'not-ready' ? causes : [];
  const what = first === undefined ? READINESS_TEXTS[ready] : clauseOf(first.impact);
  const text = `${word}: ${what}.${leftOut && ` ${leftOut}`}${warns ? ' See the warnings above.' : ''}`;
  const state = warns ? 'warning' : ({ ready: 'ok', 'not-ready': 'broken', unknown: 'unknown' } as const)[ready];
  return colors[STATE_COLORS[state]](text);
}

/** An incident whose fault a single check did not find. */
export interface UnseenIncident extends OpenIncident {
  /**
   * A single check can rule out the fault. Some faults can be detected only with many connections or with
   * FortiAuthenticator's log.
   */
  readonly isContradicted: boolean;
}

interface DaemonView {
  readonly preconditions: readonly { readonly id: string; readonly findings: readonly { readonly rule: string }[] }[];
}

/** Incidents with severity `info` are left out. */
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
  return (
    checksOf('log').includes(precondition) || now?.findings.some(({ rule }) => rule === INTERMITTENT_RULE) === true
  );
}

/**
 * Combines the exit code of a single check with the daemon's open incidents. An incident that the check cannot detect
 * is counted at its own severity. If the check shows that the fault has disappeared, the incident is counted as a
 * warning until it ends.
 */
export function exitCodeBeside(own: CheckExit, unseen: readonly UnseenIncident[]): CheckExit {
  if (own === CHECK_EXIT.notReady || unseen.length === 0) return own;
  if (unseen.some(({ isContradicted, severity }) => !isContradicted && severity === 'critical'))
    return CHECK_EXIT.notReady;
  return own === CHECK_EXIT.unknown ? own : CHECK_EXIT.warnings;
}

const STEP_ANSWERS = {
  passes: { state: 'ok', text: 'will pass' },
  fails: { state: 'broken', text: 'will fail' },
  'not-visible': { state: 'unknown', text: 'cannot be checked from this machine' },
} as const satisfies Record<StepAnswer, { readonly state: PreconditionState; readonly text: string }>;

/** Printed below the checklist and the causes, whose sentences are not repeated. */
export function renderSteps(
  diagnosis: Diagnosis,
  style: TextStyle,
  { all = false }: Pick<DiagnosisAsides, 'all'> = {},
): string {
  const colors = createColors(style.color);
  const { items } = checklistOf(diagnosis, all ? 'whole' : 'path');
  const outlook = activationOutlook({
    ...diagnosis,
    preconditions: diagnosis.preconditions.map((status) =>
      items.some(({ id }) => id === status.id) ? { ...status, summary: '' } : status,
    ),
    causes: diagnosis.causes.map((cause) => ({ ...cause, summary: '' })),
  });
  return [
    colors.bold('Steps of an activation, if a user activated a licence or a token now'),
    '',
    ...outlook.steps.flatMap((step, index) => stepLines(step, index + 1, style, colors)),
    '',
    ...textLines(outlookSentence(outlook), style.width).map(colors.bold),
    '',
  ].join('\n');
}

function stepLines(step: ActivationStep, number: number, { width }: TextStyle, colors: Colors): readonly string[] {
  const { state, text: answer } = STEP_ANSWERS[step.answer];
  // The output above already contains the cause with its commands.
  const toDo = step.answer === 'fails' && step.remedy.length > 0 ? ['See the remedy above.'] : step.remedy;
  const below = [...(step.why === '' ? [] : [step.why]), ...toDo.map((line) => `→ ${line}`)];
  return [
    `  ${String(number)}. ${step.title}: ${colors[STATE_COLORS[state]](answer)}`,
    ...below.flatMap((text) => textLines(text, width, '     ')).map(colors.dim),
  ];
}

const REPAIR_ANSWERS = {
  'in-force': { state: 'ok', text: 'The repair is active' },
  'not-in-force': { state: 'broken', text: 'The repair is not active' },
  'not-visible': { state: 'unknown', text: 'Cannot determine whether the repair is active' },
} as const satisfies Record<RepairAnswer, { readonly state: PreconditionState; readonly text: string }>;

export function renderRepair(verdict: RepairVerdict, cause: Cause, { color, width }: TextStyle): string {
  const colors = createColors(color);
  const { incident, answer, why, next, policy } = verdict;
  const { state, text: shown } = REPAIR_ANSWERS[answer];
  const below = [
    why,
    ...(policy === null
      ? []
      : [
          `Policy before: ${policy.before ?? 'the firewall reported no fault in its policy'}`,
          `Policy now: ${policy.now ?? 'unknown'}`,
        ]),
    ...(next === null ? [] : [`→ ${next}`]),
  ];
  return [
    ...textLines(`Incident ${incident}: ${headline(cause)}`, width).map(colors.bold),
    colors[STATE_COLORS[state]](shown),
    ...below.flatMap((text) => textLines(text, width, '  ')),
    '',
  ].join('\n');
}

/** The certificates are not wrapped or indented, so that they can be copied. */
export function renderRoots(roots: readonly MailRoot[], { color, width }: TextStyle): string {
  const none = 'No root authority is known, because no certificate of a mail server could be verified.';
  return [
    createColors(color).bold('Root authorities that FortiAuthenticator must trust for its mail servers'),
    '',
    ...(roots.length === 0 ? [...textLines(none, width), ''] : []),
    ...roots.flatMap(({ server, subject, sha256, pem }) => [server, subject, `SHA-256 ${sha256}`, pem]),
  ].join('\n');
}
