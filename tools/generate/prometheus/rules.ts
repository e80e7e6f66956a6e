import { parse } from 'yaml';
import { CAUSE_IDS, isAgentCause, wordsOf } from '../../../src/checks/registry.ts';

export interface Threshold {
  readonly name: string;
  readonly value: string | number;
  /** One sentence. */
  readonly description: string;
}

/** Parses the thresholds in `thresholds.yaml`: each is a comment and a key. @throws {Error} if a key has no comment */
export function parseThresholds(text: string): readonly Threshold[] {
  return [...text.matchAll(/(?:^# (.+)\n)?^(\w+): (.+)$/gmu)].map(([, description = '', name = '', value = '']) => {
    if (description === '') throw new Error(`Cannot read the threshold "${name}": expected a comment above it`);
    return { name, value: Number.isNaN(Number(value)) ? value : Number(value), description };
  });
}

/** Selects the series of ftm-watch: `job_name` in the shipped scrape configuration. */
const FTM_WATCH_SELECTOR = 'job="ftm-watch"';

/** The syntax of jsonnet's operator `%`. */
const PLACE = /%\((\w+)\)s/gu;

/**
 * Fills the thresholds into a file of rules.
 * @throws {Error} if a threshold is unknown
 */
export function renderRules(template: string, thresholds: readonly Threshold[]): string {
  const values = new Map(thresholds.map(({ name, value }) => [name, value]));
  return chartRules(template).replaceAll(PLACE, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`Cannot render the rules: there is no threshold "${name}"`);
    return String(value);
  });
}

/** Returns a file of rules for the chart, which fills in its own thresholds. */
export function chartRules(template: string): string {
  return withCauses(template).replaceAll('%(ftmWatchSelector)s', FTM_WATCH_SELECTOR);
}

/**
 * Fills in the causes for which ftm-watch cannot check a part of the path, and those of ftm-watch itself, because both
 * are not faults of the path.
 */
function withCauses(template: string): string {
  const blind = CAUSE_IDS.filter((id) => wordsOf(id).impact === 'blind' && wordsOf(id).severity === 'warning');
  return template
    .replaceAll('%(blindCauses)s', blind.join('|'))
    .replaceAll('%(agentCauses)s', CAUSE_IDS.filter(isAgentCause).join('|'));
}

const GENERATED = '// Written by "npm run generate" from tools/generate/prometheus: change it there.\n';

/**
 * Returns a file of rules as a jsonnet library (https://monitoring.mixins.dev) with the field `prometheusAlerts` or
 * `…Rules`.
 */
export function mixinRules(field: 'prometheusAlerts' | 'prometheusRules', template: string): string {
  // std.manifestYamlDoc() of jsonnet 0.20 writes invalid YAML if a multi-line string begins with a space.
  const trimmed = (_key: string, value: unknown): unknown => (typeof value === 'string' ? value.trim() : value);
  const json = JSON.stringify(parse(withCauses(template)), trimmed, 2);
  // JSON is valid jsonnet. Strings with placeholders become format expressions.
  const formatted = json.replaceAll(/"(?:[^"\\]|\\.)*"/gu, (text) =>
    text.includes('%(') ? `${text.replaceAll(/%(?!\(\w+\)s)/gu, '%%')} % $._config` : text,
  );
  return `${GENERATED}{\n  ${field}+:: ${formatted.replaceAll('\n', '\n  ')},\n}\n`;
}

/** Returns `_config` of the mixin. */
export function mixinConfig(thresholds: readonly Threshold[]): string {
  return [
    GENERATED,
    '{\n  _config+:: {\n',
    '    // Selector for the series of ftm-watch, which contains the job of the scrape configuration.\n',
    `    ftmWatchSelector: '${FTM_WATCH_SELECTOR}',\n\n`,
    '    // Address of the runbooks with %s for the page, such as https://ftm.example.org/runbooks/%s for the ' +
      'runbooks of\n',
    '    // a daemon. If null, alerts and dashboards have no links to runbooks.\n',
    '    runbookURLPattern: null,\n\n',
    ...thresholds.map(
      ({ name, value, description }) =>
        `    // ${description}\n    ${name}: ${typeof value === 'string' ? `'${value}'` : String(value)},\n`,
    ),
    '  },\n}\n',
  ].join('');
}
