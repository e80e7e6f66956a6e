import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { fleetPanels } from './fleet-panels.ts';
import { DATA_SOURCE } from './panels.ts';
import { sitePanels } from './site-panels.ts';

interface Contents {
  readonly uid: string;
  readonly title: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly panels: readonly Builder<Panel>[];
}

/** Every dashboard by its file name. */
export function renderDashboards(): ReadonlyMap<string, string> {
  const site = new QueryVariableBuilder('site')
    .label('Site')
    .datasource(DATA_SOURCE)
    .query('label_values(up{job="ftm-watch"}, site)')
    .refresh(VariableRefresh.OnTimeRangeChanged);
  return new Map([
    [
      'fleet.json',
      render({ uid: 'ftm-watch-fleet', title: 'FortiToken Mobile: all sites', variables: [], panels: fleetPanels() }),
    ],
    [
      'site.json',
      render({
        uid: 'ftm-watch-site',
        title: 'FortiToken Mobile: one site',
        variables: [site],
        panels: sitePanels(),
      }),
    ],
  ]);
}

function render({ uid, title, variables, panels }: Contents): string {
  const source = new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus');
  // oxlint-disable-next-line typescript/no-deprecated -- every Grafana in use reads this form, few read the second one
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['ftm-watch'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('30s')
    .variables([source, ...variables]);
  for (const panel of panels) builder.withPanel(panel);
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}
