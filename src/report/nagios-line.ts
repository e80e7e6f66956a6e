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
  return line(state.exitCode, `${textOf(state)}${state.note}`, performanceData(diagnosis, looked));
}

/** Used if a local problem prevented the check. */
export function pluginUnknown(reason: string): PluginAnswer {
  return line(CHECK_EXIT.unknown, reason, []);
}

function textOf({ worst, others, caveat, text }: SiteState): string {
  if (worst === null) return text;
  const since = worst.since === null ? '' : `, since ${utcText(Date.parse(worst.since))}`;
  const more = others === 0 ? '' : ` (and ${String(others)} more)`;
  return `${caveat}${withoutStop(worst.summary)}${since}${more}`;
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
