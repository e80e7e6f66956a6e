import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { impactOf } from '../../../src/engine/model.ts';
import { NOT_READY_TEXT, VERDICT, verdictQuery } from '../../../tools/generate/grafana/verdict.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { startPrometheus } from '../../support/monitoring/prometheus-process.ts';
import type { PrometheusProcess } from '../../support/monitoring/prometheus-process.ts';
import { startShippedPrometheus } from './shipped-monitoring.ts';
import { until } from '../../support/time/until.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';

const FOLDER = 'deploy/prometheus/mixin/dashboards';
const PATIENCE = { timeout: 45_000, interval: 200 };

interface Step {
  readonly value: number | null;
  readonly color: string;
}

interface Meaning {
  readonly text: string;
  readonly color: string;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  /** Of a row that is folded. */
  readonly panels?: readonly Panel[];
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly mappings?: readonly { readonly options: Readonly<Record<string, Meaning>> }[];
      readonly thresholds?: { readonly steps: readonly Step[] };
    };
  };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

/** What each panel shows for a site whose TLS is inspected. Referenced in docs/prometheus.md. */
const RECORD = 'test/fixtures/dashboards/inspected-site.txt';

/** Panels that are empty for a site whose TLS is inspected, and why. */
const NOTHING: Readonly<Record<string, string>> = {
  'site.json: Certificates: days left': 'the certificate is forged',
  "daemon.json: Status page's certificate: days left": 'the page has none',
  'daemon.json: Logins and changes per hour': 'nobody has to log in',
  'Maintenance in site.json': 'there is no window',
  'site.json: Other networks': 'they are not asked',
  'site.json: Other networks: age': 'they are not asked',
};

function filled(expr: string): string {
  return expr.replaceAll('$site', 'lab').replaceAll('$cause', 'tls-intercepted');
}

const dashboards = readdirSync(FOLDER).map(
  (name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard] as const,
);
const panels = dashboards.flatMap(([name, dashboard]) =>
  dashboard.panels
    .flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]))
    .map((panel) => ({ ...panel, panel: `${name}: ${panel.title}` })),
);
const queries = [
  ...panels.flatMap(({ panel, targets = [] }) => targets.map(({ expr }) => ({ panel, query: filled(expr) }))),
  ...dashboards
    .filter(([name]) => name === 'site.json')
    .flatMap(([name, { annotations }]) =>
      annotations.list.map((mark) => ({ panel: `${mark.name} in ${name}`, query: filled(mark.expr) })),
    ),
];

/** Returns the color of a number: that of its value mapping, otherwise that of its threshold. */
function colorOf({ fieldConfig }: Panel, value: number): string | undefined {
  const { mappings = [], thresholds } = fieldConfig?.defaults ?? {};
  const meant = mappings.map(({ options }) => options[String(value)]?.color).find((color) => color !== undefined);
  return meant ?? thresholds?.steps.findLast((step) => step.value === null || step.value <= value)?.color;
}

/** Returns the name of a series as Grafana shows it. Ports and versions are masked because they vary. */
function legendOf(format: string, labels: Readonly<Record<string, string>>): string {
  return format
    .replaceAll(/\{\{(\w+)\}\}/gu, (_, name: string) => labels[name] ?? '')
    .replaceAll(/:\d{2,5}\b/gu, ':PORT')
    .replaceAll(/(?<![\d.])v?\d+\.\d+\.\d+(?!\.?\d)/gu, 'VERSION')
    .trim();
}

/** Returns a value as its panel shows it: a word and its color, or a number, which has a color only in stat panels. */
function shownAs(panel: Panel, value: number): string {
  const { mappings = [] } = panel.fieldConfig?.defaults ?? {};
  const meaning = mappings.map(({ options }) => options[String(value)]).find((one) => one !== undefined);
  if (meaning !== undefined) return `${meaning.text} (${meaning.color})`;
  return panel.type === 'stat' ? `a number (${colorOf(panel, value) ?? 'no color'})` : 'a number';
}

async function linesOf(panel: Panel & { readonly panel: string }, prometheus: PrometheusProcess): Promise<string> {
  const [target] = panel.targets ?? [];
  const found = await prometheus.series(filled(target?.expr ?? ''));
  const lines = found.map(
    ({ labels, value }) => `  ${legendOf(target?.legendFormat ?? '', labels)}: ${shownAs(panel, value)}`,
  );
  const rows = lines.length === 0 ? ['  nothing'] : [...new Set(lines)].toSorted();
  return `${panel.panel.replace('.json: ', ': ')}\n${rows.join('\n')}\n`;
}

describeWhere([{ program: 'prometheus' }], 'every query of the dashboards', () => {
  const stack = new AsyncDisposableStack();
  let prometheus: PrometheusProcess;
  let empty: PrometheusProcess;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-empty-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'prometheus.yml'), '{}');
    empty = stack.use(await startPrometheus(folder));
    const { lab, daemon } = stack.use(await createWatchedLab());
    lab.applianceLog.sendTo(await daemon.syslogTcpPort());
    // A closed port, because no alert has to be delivered.
    prometheus = stack.use(await startShippedPrometheus('http://127.0.0.1:9', [await daemon.page()], 'lab'));
    await vi.waitFor(async () => {
      if ((await prometheus.count('site:ftm_activation_ready:min == 1')) === 0)
        throw new Error('The site of the lab is not ready');
    }, PATIENCE);
    await lab.inspect(true);
    await lab.applianceLog.poll();
    await vi.waitFor(async () => {
      if ((await prometheus.count('site_incident:ftm_incident_open:max{cause="tls-intercepted"}')) === 0)
        throw new Error('The incident of the lab is not there');
    }, PATIENCE);
  });

  afterAll(() => stack.disposeAsync());

  it.each(queries.filter(({ panel }) => !Object.hasOwn(NOTHING, panel)))(
    'finds what it is about at a site that is broken: $panel',
    async ({ query }) => {
      await expect.poll(() => prometheus.count(query), PATIENCE).toBeGreaterThan(0);
    },
  );

  it.each(queries.filter(({ panel }) => Object.hasOwn(NOTHING, panel)))(
    'rightly finds nothing: $panel',
    async ({ query }) => {
      expect(await prometheus.count(query)).toBe(0);
    },
  );

  it.each(queries)('is understood where there is nothing yet: $panel', async ({ query }) => {
    expect(await empty.count(query)).toBe(query.includes('or vector(0)') ? 1 : 0);
  });

  it.each(panels.filter(({ type }) => type === 'stat'))('shows nothing as healthy meanwhile: $panel', async (panel) => {
    const { targets = [] } = panel;
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets)
      expect((await prometheus.values(filled(expr))).map((value) => colorOf(panel, value))).not.toContain('green');
  });

  it('shows in each panel what is recorded', { timeout: 120_000 }, async () => {
    const recorded = existsSync(RECORD) ? readFileSync(RECORD, 'utf8') : '';
    let text = '';
    const shown = async (): Promise<boolean> => {
      const parts: string[] = [];
      for (const panel of panels) parts.push(await linesOf(panel, prometheus));
      text = parts.join('\n');
      return text === recorded;
    };
    await until(shown, Boolean, PATIENCE.timeout).catch(() => undefined);
    await expect(text).toMatchFileSnapshot(resolve(RECORD));
  });

  it('says of the licence server that its certificate is not its own', async () => {
    const panel = panels.find(({ title }) => title === 'Verdict on the certificates');
    const [target] = panel?.targets ?? [];
    const values = await prometheus.values(filled(target?.expr ?? ''));
    expect(values.map((value) => (panel === undefined ? '' : colorOf(panel, value)))).toContain('red');
  });
});

describeWhere([{ program: 'promtool' }], 'whether users can activate', () => {
  it('is told by the first short impact on the path, and apart from warnings', async () => {
    const READY = 'site:ftm_activation_ready:min';
    const incident = (site: string, severity: string, cause: string): string =>
      `site_incident:ftm_incident_open:max{site="${site}", severity="${severity}", cause="${cause}", subject="s"}`;
    const series: Readonly<Record<string, number>> = {
      [`${READY}{site="works"}`]: 1,
      [`${READY}{site="warns"}`]: 1,
      [incident('warns', 'warning', 'mail-slow')]: 1,
      [incident('warns', 'warning', 'clock-skewed')]: 1,
      [incident('warns', 'warning', 'store-not-writable')]: 1,
      [`${READY}{site="too-early"}`]: 0,
      [`${READY}{site="mail"}`]: 0,
      [incident('mail', 'critical', 'mail-unreachable')]: 1,
      [`${READY}{site="both"}`]: 0,
      [incident('both', 'critical', 'mail-unreachable')]: 1,
      [incident('both', 'critical', 'tls-intercepted')]: 1,
      [incident('unknown', 'critical', 'tls-intercepted')]: 1,
    };
    const impact = (kind: 'activation' | 'codes'): string =>
      impactOf(kind, { licenseActive: null, offlineSupported: null }).split('.')[0] ?? '';
    const options = Object.entries(VERDICT.options as Readonly<Record<string, Meaning>>);
    const numberOf = (shown: string): number => Number(options.find(([, { text }]) => text === shown)?.[0]);
    const told = { mail: numberOf(impact('codes')), both: numberOf(impact('activation')), works: 0, warns: 2 };
    const exp_samples = Object.entries({ ...told, 'too-early': numberOf(NOT_READY_TEXT) }).map(([site, value]) => ({
      labels: `{site="${site}"}`,
      value,
    }));
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-verdict-'));
    const input_series = Object.entries(series).map(([name, value]) => ({ series: name, values: String(value) }));
    const promql_expr_test = [{ expr: verdictQuery(''), eval_time: '0m', exp_samples }];
    writeFileSync(
      join(folder, 'test.yml'),
      JSON.stringify({ tests: [{ interval: '1m', input_series, promql_expr_test }] }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(folder, 'test.yml')], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });
});

describe('the dashboards that are queried', () => {
  it('are all that are shipped, and what shows nothing is named rightly', () => {
    expect(queries.length).toBeGreaterThan(40);
    const names = new Set(queries.map(({ panel }) => panel));
    expect(Object.keys(NOTHING).filter((name) => !names.has(name))).toEqual([]);
  });
});
