import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderDashboards } from '../../../tools/generate/grafana/dashboards.ts';
import { defineMetrics } from '../../../src/metrics/definitions.ts';
import { shippedRules } from '../../support/monitoring/alert-rules.ts';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  /** Of a row that is folded. */
  readonly panels?: readonly Panel[];
  readonly targets?: readonly { readonly expr: string }[];
  readonly fieldConfig?: { readonly defaults: { readonly links?: readonly { readonly url: string }[] } };
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query?: unknown }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

/** The panels of folded rows are listed like the others, and the rows are left out. */
const dashboards = [...renderDashboards()].map(([name, text]) => {
  const dashboard = JSON.parse(text) as Dashboard;
  const panels = dashboard.panels.flatMap((panel) => (panel.type === 'row' ? (panel.panels ?? []) : [panel]));
  return [name, { ...dashboard, panels }, text] as const;
});
const byUid = new Map(dashboards.map(([, dashboard]) => [dashboard.uid, dashboard]));

/** Metrics that no panel and no rule uses, each with the reason. */
const UNUSED: Readonly<Record<string, string>> = {
  ftm_metrics_push_failures_total: 'while pushing fails, it does not arrive either: the log of the agent says so',
  process_virtual_memory_bytes: 'of a process with V8 it says nothing; other dashboards of exporters ask for it',
};

function variablesOf({ templating }: Dashboard): ReadonlySet<string> {
  return new Set(templating.list.map(({ name }) => name));
}

/** Returns the names in `$name` and `${name}`, except Grafana's own, which begin with `__`. */
function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{?(?!__)([a-z]\w*)/gu)].map(([, name = '']) => name);
}

function linksOf({ fieldConfig }: Panel): readonly string[] {
  return (fieldConfig?.defaults.links ?? []).map(({ url }) => url);
}

describe('the dashboards', () => {
  it('find the data source of their type', () => {
    const { datasources } = parse(readFileSync('deploy/grafana/provisioning/datasources/prometheus.yaml', 'utf8')) as {
      readonly datasources: readonly { readonly type: string }[];
    };
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus']);
    for (const [, , text] of dashboards) expect(text).not.toMatch(/"uid": "(?!\$\{datasource\}|ftm-watch-)/u);
  });

  it.each(dashboards)('have in %s no variable that is not there, and none that nothing uses', (_, dashboard, text) => {
    const rest = { ...dashboard, templating: null };
    const known = variablesOf(dashboard);
    const used = new Set(variablesIn(JSON.stringify(rest)));
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
    expect([...known].filter((name) => !used.has(name))).toEqual([]);
    expect(text).not.toContain('"expr": ""');
  });

  it.each(dashboards)('offer in %s also a site whose agents push, for which there is no "up"', (_, { templating }) => {
    const offered = templating.list.filter(({ name }) => name === 'site').map(({ query }) => query);
    expect(offered.filter((query) => !String(query).includes('ftm_build_info'))).toEqual([]);
  });

  it.each(dashboards)('have in %s panels with names of their own, each with a query', (_, { panels }) => {
    const titles = panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(panels.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);
  });

  it.each(dashboards)('have in %s no panel beyond the grid, or over another one', (_, { panels }) => {
    for (const { title, gridPos } of panels) expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (__, index) => `${String(x + (index % w))} ${String(y + Math.floor(index / w))}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it('begin with whether users can activate, and fold what is for a close look', () => {
    for (const name of ['site.json', 'fleet.json']) {
      const [, { panels }] = dashboards.find(([file]) => file === name) ?? ['', { panels: [] }];
      expect(panels[0]?.targets?.[0]?.expr).toContain('site:ftm_activation_ready:min');
    }
    const site = JSON.parse(renderDashboards().get('site.json') ?? '{}') as Dashboard;
    expect(site.panels.at(-1)).toMatchObject({ type: 'row', collapsed: true });
  });

  it('lead to each other, with the variables that the other one has', () => {
    const urls = dashboards.flatMap(([, { panels }]) => panels.flatMap(linksOf)).filter((url) => url.startsWith('/d/'));
    expect(urls.length).toBeGreaterThan(4);
    for (const url of urls) {
      const [, uid = '', query = ''] = /^\/d\/([\w-]+)\?(.*)$/u.exec(url) ?? [];
      const target = byUid.get(uid);
      expect([url, target?.uid]).toEqual([url, uid]);
      const given = [...query.matchAll(/var-(\w+)=/gu)].map(([, name = '']) => name);
      const known = target === undefined ? [] : [...variablesOf(target)];
      expect(known).toEqual(expect.arrayContaining(given));
    }
    // Links lead from all sites to one site, to a cause, and from there to the runbook and the status page.
    expect(new Set(urls.map((url) => url.split('?')[0]))).toEqual(new Set(['/d/ftm-watch-site', '/d/ftm-watch-cause']));
    const cause = byUid.get('ftm-watch-cause');
    expect(cause?.panels.flatMap(linksOf)).toEqual(
      expect.arrayContaining([
        '$scheme://${__field.labels.instance}/',
        '$scheme://${__field.labels.instance}/runbooks/$cause',
      ]),
    );
  });

  it('ask for every metric there is, or the rules do', () => {
    const asked = [
      ...dashboards.flatMap(([, { panels }]) => panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))),
      ...shippedRules().map(({ expr }) => expr),
    ].join('\n');
    const registry = new Registry();
    defineMetrics(registry);
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    const unused = names.filter((name) => !new RegExp(`\\b${name}(?:_bucket|_count|_sum)?\\b`, 'u').test(asked));
    expect(unused).toEqual(Object.keys(UNUSED));
  });
});
