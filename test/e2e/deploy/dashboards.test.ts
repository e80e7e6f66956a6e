import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startDaemon } from '../../lab/daemon.ts';
import { createLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { describeWhere } from '../../support/privilege.ts';
import { startPrometheus } from '../../support/prometheus-process.ts';
import type { PrometheusProcess } from '../../support/prometheus-process.ts';
import { startShippedPrometheus } from '../../support/shipped-monitoring.ts';

const FOLDER = 'deploy/prometheus/mixin/dashboards';
const PATIENCE = { timeout: 45_000, interval: 200 };

interface Step {
  readonly value: number | null;
  readonly color: string;
}

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly mappings?: readonly { readonly options: Readonly<Record<string, { readonly color: string }>> }[];
      readonly thresholds?: { readonly steps: readonly Step[] };
    };
  };
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

/** What shows nothing of a site whose TLS is inspected, and why. */
const NOTHING: Readonly<Record<string, string>> = {
  'site.json: Certificates: days left': 'the certificate is forged',
  'daemon.json: Certificate of the page: days left': 'the page has none',
  'daemon.json: Logins and changes, an hour': 'nobody has to log in',
  'Maintenance in site.json': 'there is no window',
};

function filled(expr: string): string {
  return expr.replaceAll('$site', 'lab').replaceAll('$cause', 'tls-intercepted');
}

const dashboards = readdirSync(FOLDER).map(
  (name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard] as const,
);
const panels = dashboards.flatMap(([name, dashboard]) =>
  dashboard.panels.map((panel) => ({ ...panel, panel: `${name}: ${panel.title}` })),
);
const queries = [
  ...panels.flatMap(({ panel, targets = [] }) => targets.map(({ expr }) => ({ panel, query: filled(expr) }))),
  ...dashboards
    .filter(([name]) => name === 'site.json')
    .flatMap(([name, { annotations }]) =>
      annotations.list.map((mark) => ({ panel: `${mark.name} in ${name}`, query: filled(mark.expr) })),
    ),
];

/** The color of a number: by what it means, else by its size. */
function colorOf({ fieldConfig }: Panel, value: number): string | undefined {
  const { mappings = [], thresholds } = fieldConfig?.defaults ?? {};
  const meant = mappings.map(({ options }) => options[String(value)]?.color).find((color) => color !== undefined);
  return meant ?? thresholds?.steps.findLast((step) => step.value === null || step.value <= value)?.color;
}

describeWhere([{ program: 'prometheus' }], 'every query of the dashboards', () => {
  const stack = new AsyncDisposableStack();
  let lab: Lab;
  let prometheus: PrometheusProcess;
  let empty: PrometheusProcess;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-empty-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'prometheus.yml'), '{}');
    empty = stack.use(await startPrometheus(folder));
    lab = stack.use(await createLab());
    const daemon = stack.use(await startDaemon(lab.configFile, lab.folder));
    if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
    // A closed port: no alert has to arrive anywhere.
    prometheus = stack.use(await startShippedPrometheus('http://127.0.0.1:9', [daemon.url], 'lab'));
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
    expect(await empty.count(query)).toBeLessThanOrEqual(1);
  });

  it.each(panels.filter(({ type }) => type === 'stat'))('shows nothing as healthy meanwhile: $panel', async (panel) => {
    const { targets = [] } = panel;
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr } of targets)
      expect((await prometheus.values(filled(expr))).map((value) => colorOf(panel, value))).not.toContain('green');
  });

  it('says of the licence server that its certificate is not its own', async () => {
    const panel = panels.find(({ title }) => title === 'Verdict on the certificates');
    const [target] = panel?.targets ?? [];
    const values = await prometheus.values(filled(target?.expr ?? ''));
    expect(values.map((value) => (panel === undefined ? '' : colorOf(panel, value)))).toContain('red');
  });
});

describe('the dashboards that are queried', () => {
  it('are all that are shipped, and what shows nothing is named rightly', () => {
    expect(queries.length).toBeGreaterThan(40);
    const names = new Set(queries.map(({ panel }) => panel));
    expect(Object.keys(NOTHING).filter((name) => !names.has(name))).toEqual([]);
  });
});
