import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  CustomVariableBuilder,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Panel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { causePanels } from './cause-panels.ts';
import { daemonPanels } from './daemon-panels.ts';
import { fleetPanels } from './fleet-panels.ts';
import type { UIDS } from './links.ts';
import { DATA_SOURCE } from './panels.ts';
import { siteDetails, sitePanels } from './site-panels.ts';

interface Contents {
  readonly uid: string;
  readonly title: string;
  readonly variables: readonly Builder<VariableModel>[];
  readonly panels: readonly Builder<Panel>[];
  /** Folded into a row at the end. */
  readonly details?: readonly Builder<Panel>[];
  /** PromQL selector of the incidents and windows that are annotated in its panels. */
  readonly marks: string;
}

const PREFIX = 'FortiToken Mobile';
const OF_SITE = 'site="$site"';

/** Returns every dashboard by file name. */
export function renderDashboards(): ReadonlyMap<string, string> {
  // Agents that push their metrics have no "up".
  const site = labelOf('site', 'Site', '{__name__=~"up|ftm_build_info", job="ftm-watch"}');
  const cause = labelOf('cause', 'Cause', 'ftm_cause_active{job="ftm-watch"}');
  const scheme = new CustomVariableBuilder('scheme').label('Scheme of the status pages').values('https,http');
  const dashboards: Readonly<Record<keyof typeof UIDS, Omit<Contents, 'uid'>>> = {
    fleet: { title: `${PREFIX}: all sites`, variables: [scheme], panels: fleetPanels(), marks: '' },
    site: {
      title: `${PREFIX}: one site`,
      variables: [site],
      panels: sitePanels(),
      details: siteDetails(),
      marks: OF_SITE,
    },
    cause: {
      title: `${PREFIX}: one cause`,
      variables: [site, cause, scheme],
      panels: causePanels(),
      marks: 'cause="$cause"',
    },
    daemon: { title: `${PREFIX}: ftm-watch itself`, variables: [site, scheme], panels: daemonPanels(), marks: OF_SITE },
  };
  return new Map(
    Object.entries(dashboards).map(([name, contents]) => [
      `${name}.json`,
      render({ uid: `ftm-watch-${name}`, ...contents }),
    ]),
  );
}

function labelOf(name: string, label: string, series: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATA_SOURCE)
    .query(`label_values(${series}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged);
}

function render({ uid, title, variables, panels, details = [], marks }: Contents): string {
  const source = new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus');
  // oxlint-disable-next-line typescript/no-deprecated -- every Grafana in use reads this form, few read the second one
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .tags(['ftm-watch'])
    .readonly()
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('30s')
    .variables([source, ...variables])
    .link(
      new DashboardLinkBuilder(PREFIX)
        .type(DashboardLinkType.Dashboards)
        .tags(['ftm-watch'])
        .includeVars(true)
        .keepTime(true),
    )
    .annotations([
      mark('Incidents', `site_incident:ftm_incident_open:max{${marks}}`, '{{cause}}').textFormat(
        '{{site}} {{subject}}',
      ),
      mark(
        'Maintenance',
        `site:ftm_maintenance_active:max{${marks.startsWith('site') ? marks : ''}} == 1`,
        'Maintenance',
      )
        .textFormat('{{site}}')
        .iconColor('purple'),
    ]);
  for (const panel of panels) builder.withPanel(panel);
  if (details.length > 0) {
    const row = new RowBuilder('Details: probes, name resolution, log and notifications').collapsed(true);
    for (const panel of details) row.withPanel(panel);
    builder.withRow(row);
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function mark(name: string, expr: string, title: string): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATA_SOURCE)
    .enable(true)
    .iconColor('red')
    .expr(expr)
    .titleFormat(title)
    .step('60s');
}
