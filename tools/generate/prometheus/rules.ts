import { isOnlyUnseen } from '../../../src/checks/headline.ts';
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

/** The mixin and the chart fill in the same places. */
const PLACE = /%\((\w+)\)s/gu;

/**
 * Fills the thresholds into a file of rules.
 * @throws {Error} if a threshold is unknown
 */
export function renderRules(template: string, thresholds: readonly Threshold[]): string {
  const values = new Map(thresholds.map(({ name, value }) => [name, value]));
  values.set('ftmWatchSelector', FTM_WATCH_SELECTOR);
  return template.replaceAll(PLACE, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`Cannot render the rules: there is no threshold "${name}"`);
    return String(value);
  });
}

/**
 * Returns the file of alerts with its lists of causes brought up to date: those for which ftm-watch cannot check a part
 * of the path, and those of ftm-watch itself. Both are not faults of the path.
 */
export function withCauses(alerts: string): string {
  const blind = CAUSE_IDS.filter((id) => isOnlyUnseen({ id, severity: wordsOf(id).severity })).join('|');
  const agent = CAUSE_IDS.filter(isAgentCause).join('|');
  return alerts
    .replace(/(?<=alert: FtmActivationAtRisk\n[^]*?\bcause!~")[^"]*/u, `${blind}|${agent}`)
    .replace(/(?<=alert: FtmAgentTrouble\n[^]*?\bcause=~")[^"]*/u, agent)
    .replace(/(?<=alert: FtmWatcherBlind\n[^]*?\bcause=~")[^"]*/u, blind);
}

/** Returns `_config` of the mixin. */
export function mixinConfig(thresholds: readonly Threshold[]): string {
  return [
    '// Written by "npm run generate" from tools/generate/prometheus: change it there.\n',
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
