import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as TextBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { TO_PAGE, TO_SITE } from './links.ts';
import { ACTIVE, neutral, statPanel, timelinePanel } from './panels.ts';

/** One cause, `$cause`, at `$site` and elsewhere. */
export function causePanels(): readonly Builder<Panel>[] {
  return [
    runbook(),
    statPanel(
      {
        title: 'Sites with this cause',
        description: 'One: a fault at that site. Several at once: something that they share.',
        expr: 'count(max by (site) (site_incident:ftm_incident_open:max{cause="$cause"})) or vector(0)',
        legend: 'sites',
      },
      { width: 6, thresholds: neutral() },
    ),
    statPanel(
      {
        title: 'Agents that see it at $site',
        description: 'A click leads to the status page of the agent.',
        expr: 'ftm_cause_active{job="ftm-watch", site="$site", cause="$cause"} == 1',
        legend: '{{instance}}',
        link: TO_PAGE,
      },
      { width: 18, meaning: ACTIVE },
    ),
    timelinePanel(
      {
        title: 'Incidents with this cause',
        description: 'At all sites, by what they are about.',
        expr: 'site_incident:ftm_incident_open:max{cause="$cause"}',
        legend: '{{site}} {{subject}}',
        link: TO_SITE,
      },
      ACTIVE,
      10,
    ),
    timelinePanel(
      {
        title: 'As the agents of $site see it',
        description: 'At most 50 incidents of an agent, with their subjects.',
        expr: 'ftm_incident_open{job="ftm-watch", site="$site", cause="$cause"}',
        legend: '{{instance}} {{subject}}',
        link: TO_PAGE,
      },
      ACTIVE,
      8,
    ),
  ];
}

function runbook(): Builder<Panel> {
  return new TextBuilder()
    .title('What to do')
    .height(4)
    .span(24)
    .mode(TextMode.Markdown)
    .content(
      '**[Runbook of ${cause}](${runbooks}/${cause})**: what it means, what users feel, and the steps to take. ' +
        'The status page of an agent below has the evidence of this incident.',
    );
}
