import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { configJsonSchema } from '../../src/config/config.ts';
import { renderDashboards } from './grafana/dashboards.ts';
import { renderValuesReference } from './helm/values-reference.ts';
import { valuesSchema } from './helm/values-schema.ts';
import { mixinConfig, parseThresholds, renderRules, type Threshold, withCauses } from './prometheus/rules.ts';
import { renderHtml, renderMarkdown } from './runbooks/render.ts';
import { renderTemplates } from './zabbix/templates.ts';
import { productionPackages } from '../sbom/bill.ts';
import { renderReference } from './config-reference.ts';
import { renderExitCodesReference } from './exit-codes-reference.ts';
import { renderInterceptionTables } from './interception-tables.ts';
import { renderMetricsReference } from './metrics-reference.ts';

const ROOT = join(import.meta.dirname, '../..');
const THRESHOLDS = 'tools/generate/prometheus/thresholds.yaml';
const RULES = 'deploy/prometheus/rules';
const MIXIN = 'deploy/prometheus/mixin';
const ALERTS = 'ftm-watch-alerts.yml';
const CHART = 'deploy/helm/ftm-watch';

/** Committed files that are generated from other files. */
export interface Artefact {
  /** Their source, where changes are made. */
  readonly from: string;
  /** Complete texts by path, relative to the project's folder. */
  readonly files: () => ReadonlyMap<string, string>;
  /** A folder with generated files only, except for `byHand`. Files in it that are no longer generated are deleted. */
  readonly folder?: { readonly path: string; readonly byHand: readonly string[] };
}

/** All files that `npm run generate` writes. */
export const ARTEFACTS: readonly Artefact[] = [
  {
    from: 'src/checks',
    files: () => within('docs/runbooks', renderMarkdown()),
    folder: { path: 'docs/runbooks', byHand: [] },
  },
  {
    from: 'src/checks',
    files: () => within('src/web/runbooks', renderHtml()),
    folder: { path: 'src/web/runbooks', byHand: [] },
  },
  {
    from: 'tools/generate/grafana',
    files: () => within(`${MIXIN}/dashboards`, renderDashboards()),
    folder: { path: `${MIXIN}/dashboards`, byHand: [] },
  },
  { from: 'src/checks', files: () => edited(`${MIXIN}/rules/${ALERTS}`, withCauses) },
  {
    from: `${MIXIN}/rules`,
    files: () => within(RULES, rules()),
    folder: { path: RULES, byHand: [] },
  },
  { from: THRESHOLDS, files: () => new Map([[`${MIXIN}/config.libsonnet`, mixinConfig(thresholds())]]) },
  {
    from: THRESHOLDS,
    files: () =>
      edited(`${CHART}/values.yaml`, (text) =>
        text.replace(/(?<=^ {2}thresholds:.*\n)(?: {4}.*\n)*/mu, () =>
          thresholds()
            .map(({ name, value }) => `    ${name}: ${String(value)}\n`)
            .join(''),
        ),
      ),
  },
  {
    from: 'src/config/schema',
    files: () => new Map([[`${CHART}/values.schema.json`, `${JSON.stringify(valuesSchema(thresholds()), null, 2)}\n`]]),
  },
  {
    from: `${CHART}/values.yaml`,
    files: () =>
      edited(`${CHART}/README.md`, (text) =>
        renderValuesReference(text, valuesSchema(thresholds()), parse(read(`${CHART}/values.yaml`))),
      ),
  },
  {
    from: 'src/config/schema',
    files: () => edited('docs/configuration.md', (text) => renderReference(text, configJsonSchema())),
  },
  {
    from: 'tools/generate/zabbix',
    files: () => new Map([['deploy/zabbix/template_ftm_watch.yaml', renderTemplates()]]),
  },
  { from: 'src/checks/tls-genuine', files: () => edited('docs/internals/interception.md', renderInterceptionTables) },
  { from: 'src/metrics', files: () => new Map([['docs/metrics.md', renderMetricsReference()]]) },
  { from: 'src/cli', files: () => edited('docs/commands.md', renderExitCodesReference) },
  {
    from: 'package.json',
    files: () =>
      edited(`${CHART}/Chart.yaml`, (text) => text.replaceAll(/(?<=^(?:v|appV)ersion: ).*/gmu, packageJson.version)),
  },
  {
    from: 'package.json',
    files: () => edited('Dockerfile', (text) => text.replace(/(?<=^ARG VERSION=).*/mu, packageJson.version)),
  },
  {
    from: 'package-lock.json',
    files: () =>
      edited('docs/security.md', (text) =>
        text.replace(/(?<=^- )\d+(?= run-time packages)/mu, String(Object.keys(productionPackages()).length)),
      ),
  },
];

function rules(): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(join(ROOT, MIXIN, 'rules')).map((name) => {
      const text = read(`${MIXIN}/rules/${name}`);
      return [name, renderRules(name === ALERTS ? withCauses(text) : text, thresholds())];
    }),
  );
}

function thresholds(): readonly Threshold[] {
  return parseThresholds(read(THRESHOLDS));
}

function within(folder: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].map(([name, text]) => [`${folder}/${name}`, text]));
}

/** Returns a file written by hand, with generated parts replaced. */
function edited(path: string, edit: (text: string) => string): ReadonlyMap<string, string> {
  return new Map([[path, edit(read(path))]]);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
