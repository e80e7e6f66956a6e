import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderDashboards } from '../../../deploy/grafana/dashboards.ts';

const dashboards = renderDashboards();

interface Provisioning {
  readonly datasources: readonly { readonly url: string; readonly type: string }[];
}

describe('the dashboards', () => {
  it('find the data source of their type', () => {
    const { datasources } = parse(
      readFileSync('deploy/grafana/provisioning/datasources/prometheus.yaml', 'utf8'),
    ) as Provisioning;
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus']);
    for (const text of dashboards.values()) expect(text).not.toMatch(/"uid": "(?!\$\{datasource\}|ftm-watch-)/u);
  });
});
