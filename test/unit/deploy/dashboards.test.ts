import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderDashboards } from '../../../deploy/grafana/dashboards.ts';

const FOLDER = 'deploy/grafana/dashboards';
const dashboards = renderDashboards();

interface Provisioning {
  readonly datasources: readonly { readonly url: string; readonly type: string }[];
}

describe('the dashboards', () => {
  it.each([...dashboards])('have %s as the code has it: else run "npm run dashboards"', (name, text) => {
    expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(text);
  });

  it('are all of the folder', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual([...dashboards.keys()].toSorted());
  });

  it('find the data source of their type', () => {
    const { datasources } = parse(
      readFileSync('deploy/grafana/provisioning/datasources/prometheus.yaml', 'utf8'),
    ) as Provisioning;
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus']);
    for (const text of dashboards.values()) expect(text).not.toMatch(/"uid": "(?!\$\{datasource\}|ftm-watch-)/u);
  });
});
