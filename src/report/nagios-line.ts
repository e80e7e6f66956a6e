import { titleOf } from '../checks/registry.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { utcText } from '../core/time-text.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';
import { visibleText } from '../core/visible-text.ts';
import type { DiagnosisJson } from '../engine/diagnosis-json.ts';
import type { Readiness } from '../engine/model.ts';
import { READINESS_TEXTS, type OpenIncident, type UnseenIncident } from './report-text.ts';

/** The exit codes of a Nagios plugin. `check` uses these codes with every output format. */
export const CHECK_EXIT = { ready: 0, warnings: 1, notReady: 2, unknown: 3 } as const;

type CheckExit = (typeof CHECK_EXIT)[keyof typeof CHECK_EXIT];

export interface SeenDiagnosis {
  readonly ready: Readiness;
  readonly at: string;
  readonly preconditions: readonly (Pick<DiagnosisJson['preconditions'][number], 'id' | 'state' | 'summary'> & {
    readonly findings: readonly { readonly rule: string }[];
  })[];
  readonly causes: readonly { readonly severity: Severity; readonly summary: string }[];
}

export type Looked =
  | {
      readonly by: 'daemon';
      readonly incidents: readonly OpenIncident[];
      readonly now: EpochMs;
      /** The maximum age of the daemon's last round. */
      readonly longest: Millis;
    }
  /** The plugin ran the round itself, so no history or log lines are available. */
  | { readonly by: 'itself' };

interface PluginAnswer {
  readonly text: string;
  readonly exitCode: CheckExit;
}

/** NRPE truncates the output at 1024 bytes, which must also include the performance data. */
const MAX_TEXT = 500;

/** One line of plugin output (https://www.monitoring-plugins.org/doc/guidelines.html#AEN33). */
export function pluginAnswer(diagnosis: SeenDiagnosis, looked: Looked): PluginAnswer {
  const data = performanceData(diagnosis, looked);
  if (looked.by === 'daemon' && ageOf(diagnosis, looked.now) > looked.longest)
    return line(CHECK_EXIT.unknown, `The daemon's last check was at ${timeText(diagnosis.at)}`, data);
  const exitCode = exitCodeOf(diagnosis, looked);
  const note = looked.by === 'itself' ? ' (from a new check without log data, because no daemon is running)' : '';
  return line(exitCode, `${textOf(exitCode, diagnosis, looked)}${note}`, data);
}

function ageOf({ at }: SeenDiagnosis, now: EpochMs): Millis {
  return Math.max(0, now - Date.parse(at));
}

function timeText(at: string): string {
  return utcText(Date.parse(at));
}

/** Used if a local problem prevented the check. */
export function pluginUnknown(reason: string): PluginAnswer {
  return line(CHECK_EXIT.unknown, reason, []);
}

/**
 * Open incidents count, but only as a warning if everything works again. If the current state is unknown, an open
 * critical incident makes the exit code critical. Warnings can occur without a cause, for example if FortiAuthenticator
 * uses a different server than the probe.
 */
export function exitCodeOf({ ready, causes, preconditions }: SeenDiagnosis, looked: Looked): CheckExit {
  const open = looked.by === 'daemon' ? looked.incidents : [];
  if (ready === 'not-ready') return CHECK_EXIT.notReady;
  if (ready === 'unknown')
    return open.some(({ severity }) => severity === 'critical') ? CHECK_EXIT.notReady : CHECK_EXIT.unknown;
  const warns =
    [...causes, ...open].some(({ severity }) => severity !== 'info') ||
    preconditions.some(({ state }) => state === 'warning');
  return warns ? CHECK_EXIT.warnings : CHECK_EXIT.ready;
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

function textOf(exitCode: CheckExit, diagnosis: SeenDiagnosis, looked: Looked): string {
  switch (exitCode) {
    case CHECK_EXIT.ready:
      return READINESS_TEXTS.ready;
    case CHECK_EXIT.warnings:
      return troubles(diagnosis, looked) ?? summaryOfState(diagnosis, 'warning') ?? READINESS_TEXTS.ready;
    case CHECK_EXIT.notReady:
      return troubles(diagnosis, looked) ?? summaryOfState(diagnosis, 'broken') ?? READINESS_TEXTS['not-ready'];
    case CHECK_EXIT.unknown:
      return summaryOfState(diagnosis, 'unknown') ?? READINESS_TEXTS.unknown;
  }
}

function troubles({ ready, causes }: SeenDiagnosis, looked: Looked): string | null {
  const open = looked.by === 'daemon' ? looked.incidents : [];
  const isNew = ({ summary }: { readonly summary: string }): boolean => open.every((one) => one.summary !== summary);
  const all = [...open, ...causes.filter(isNew).map((cause) => ({ ...cause, since: null }))]
    .filter(({ severity }) => severity !== 'info')
    .toSorted((a, b) => compareSeverity(a.severity, b.severity));
  const [first, ...rest] = all;
  if (first === undefined) return null;
  const since = first.since === null ? '' : `, since ${timeText(first.since)}`;
  const more = rest.length === 0 ? '' : ` (and ${String(rest.length)} more)`;
  const trouble = `${withoutStop(first.summary)}${since}${more}`;
  return ready === 'ready' && first.severity === 'critical'
    ? `Ready now, but an incident is still open: ${trouble}`
    : trouble;
}

function summaryOfState({ preconditions }: SeenDiagnosis, wanted: string): string | null {
  const one = preconditions.find(({ state }) => state === wanted);
  return one === undefined ? null : `${titleOf(one.id)}: ${withoutStop(one.summary)}`;
}

function withoutStop(text: string): string {
  return text.replace(/\.$/u, '');
}

function performanceData(diagnosis: SeenDiagnosis, looked: Looked): readonly string[] {
  const { causes, preconditions } = diagnosis;
  const count = (severity: Severity): number => causes.filter((cause) => cause.severity === severity).length;
  const inState = (wanted: string): number => preconditions.filter(({ state }) => state === wanted).length;
  // The threshold range `0` means that every value above 0 raises an alert (guidelines, "Threshold and Ranges").
  return [
    `causes_critical=${String(count('critical'))};;0;0`,
    `causes_warning=${String(count('warning'))};0;;0`,
    `preconditions_broken=${String(inState('broken'))};;0;0;${String(preconditions.length)}`,
    `preconditions_unknown=${String(inState('unknown'))};;;0;${String(preconditions.length)}`,
    ...(looked.by === 'daemon'
      ? [
          `incidents_open=${String(looked.incidents.filter(({ severity }) => severity !== 'info').length)};;;0`,
          `round_age=${(ageOf(diagnosis, looked.now) / 1000).toFixed(1)}s;;~:${(looked.longest / 1000).toFixed(0)};0`,
        ]
      : []),
  ];
}

const WORDS: Readonly<Record<CheckExit, string>> = { 0: 'OK', 1: 'WARNING', 2: 'CRITICAL', 3: 'UNKNOWN' };

function line(exitCode: CheckExit, text: string, data: readonly string[]): PluginAnswer {
  const tail = data.length === 0 ? '' : ` | ${data.join(' ')}`;
  return { text: `FTM ${WORDS[exitCode]}: ${harmless(text)}${tail}\n`, exitCode };
}

const HARMLESS: Readonly<Record<string, string>> = { '|': '/', '<': '(', '>': ')', '`': "'", $: '_' };

/**
 * Replaces characters in untrusted text that could end the plugin's text, start a macro or command
 * (`illegal_macro_output_chars` in Nagios is configurable), or be interpreted as HTML.
 */
function harmless(text: string): string {
  return visibleText(text, MAX_TEXT).replaceAll(/[|<>`$]/gu, (character) => HARMLESS[character] ?? '');
}
