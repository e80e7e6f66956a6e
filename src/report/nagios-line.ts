import { utcText } from '../core/time-text.ts';
import type { Severity } from '../core/severity.ts';
import { visibleText } from '../core/visible-text.ts';
import {
  ageOf,
  CHECK_EXIT,
  type CheckExit,
  type Looked,
  type SeenDiagnosis,
  type SiteState,
  siteState,
  withoutStop,
} from '../document/site-state.ts';

interface PluginAnswer {
  readonly text: string;
  readonly exitCode: CheckExit;
}

/** NRPE truncates the output at 1024 bytes, which must also include the performance data. */
const MAX_TEXT = 500;

/** One line of plugin output (https://www.monitoring-plugins.org/doc/guidelines.html#AEN33). */
export function pluginAnswer(diagnosis: SeenDiagnosis, looked: Looked): PluginAnswer {
  const state = siteState(diagnosis, looked);
  const data = countsOf(diagnosis, looked).map(({ name, value, limits }) => `${name}=${value}${limits}`);
  return line(state.exitCode, `${textOf(state)}${state.note}`, data);
}

/** Used if a local problem prevented the check. */
export function pluginUnknown(reason: string): PluginAnswer {
  return line(CHECK_EXIT.unknown, reason, []);
}

function textOf(state: SiteState): string {
  const { worst, caveat, text } = state;
  return worst === null ? text : `${caveat}${withoutStop(worst.summary)}${furtherText(state)}`;
}

interface Worst {
  /** Only an incident has a beginning. */
  readonly worst: { readonly since?: string | null } | null;
  readonly others: number;
}

/** What follows the name of the worst fault: when it began, and the number of other faults. */
export function furtherText({ worst, others }: Worst): string {
  const since = worst?.since ?? null;
  const began = since === null ? '' : `, since ${utcText(Date.parse(since))}`;
  return `${began}${others === 0 ? '' : ` (and ${String(others)} more)`}`;
}

interface Count {
  readonly name: string;
  readonly value: string;
  /** The unit and the ranges of a plugin. */
  readonly limits: string;
}

export function countsOf(diagnosis: SeenDiagnosis, looked: Looked): readonly Count[] {
  const { causes, preconditions } = diagnosis;
  const count = (severity: Severity): string => String(causes.filter((cause) => cause.severity === severity).length);
  const inState = (wanted: string): string => String(preconditions.filter(({ state }) => state === wanted).length);
  // The threshold range `0` means that every value above 0 raises an alert (guidelines, "Threshold and Ranges").
  return [
    { name: 'causes_critical', value: count('critical'), limits: ';;0;0' },
    { name: 'causes_warning', value: count('warning'), limits: ';0;;0' },
    { name: 'preconditions_broken', value: inState('broken'), limits: `;;0;0;${String(preconditions.length)}` },
    { name: 'preconditions_unknown', value: inState('unknown'), limits: `;;;0;${String(preconditions.length)}` },
    ...(looked.by === 'daemon'
      ? [
          {
            name: 'incidents_open',
            value: String(looked.incidents.filter(({ severity }) => severity !== 'info').length),
            limits: ';;;0',
          },
          {
            name: 'round_age',
            value: (ageOf(diagnosis, looked.now) / 1000).toFixed(1),
            limits: `s;;~:${(looked.longest / 1000).toFixed(0)};0`,
          },
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
export function harmless(text: string): string {
  return visibleText(text, MAX_TEXT).replaceAll(/[|<>`$]/gu, (character) => HARMLESS[character] ?? '');
}
