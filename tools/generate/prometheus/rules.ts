import { parse } from 'yaml';
import { CAUSE_IDS, wordsOf } from '../../../src/checks/registry.ts';

/** The values of `thresholds.yaml` by their names. */
export type Thresholds = Readonly<Record<string, string | number>>;

/** As jsonnet's operator `%` has it. */
const PLACE = /%\((\w+)\)s/gu;

/**
 * A file of rules with the thresholds in it, and with the causes that say that ftm-watch itself cannot see: these are
 * no fault of the path, and have an alert of their own.
 * @throws {Error} when a threshold is unknown
 */
export function renderRules(template: string, thresholds: Thresholds): string {
  return withBlindCauses(template).replaceAll(PLACE, (_, name: string) => {
    const value = thresholds[name];
    if (value === undefined) throw new Error(`Cannot render the rules: there is no threshold "${name}"`);
    return String(value);
  });
}

function withBlindCauses(template: string): string {
  const blind = CAUSE_IDS.filter((id) => wordsOf(id).impact === 'blind' && wordsOf(id).severity === 'warning');
  return template.replaceAll(/(?<=severity="warning",\s+cause[!=]~")[^"]*(?=")/gu, blind.join('|'));
}

/** What a mixin is made of. */
export interface MixinParts {
  readonly alerts: string;
  readonly recording: string;
  readonly thresholds: Thresholds;
  /** File names in `../../grafana/dashboards`. */
  readonly dashboards: readonly string[];
}

/** The same rules as a jsonnet library (https://monitoring.mixins.dev): `_config` has the thresholds. */
export function renderMixin({ alerts, recording, thresholds, dashboards }: MixinParts): string {
  const imports = dashboards.map((name) => `    '${name}': import '../../grafana/dashboards/${name}',\n`);
  return [
    '// Written by "npm run generate" from tools/generate/prometheus: change it there.\n{\n',
    `  _config+:: ${JSON.stringify(thresholds, null, 2)},\n`,
    `  prometheusAlerts+:: ${groupsIn(alerts)},\n`,
    `  prometheusRules+:: ${groupsIn(recording)},\n`,
    `  grafanaDashboards+:: {\n${imports.join('')}  },\n}\n`,
  ].join('');
}

/** JSON is jsonnet; a text with places is formatted. */
function groupsIn(template: string): string {
  const json = JSON.stringify(parse(withBlindCauses(template)), null, 2);
  return json.replaceAll(/"(?:[^"\\]|\\.)*"/gu, (text) =>
    text.includes('%(') ? `${text.replaceAll(/%(?!\(\w+\)s)/gu, '%%')} % $._config` : text,
  );
}
