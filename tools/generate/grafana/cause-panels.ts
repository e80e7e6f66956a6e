import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { TO_PAGE, TO_RUNBOOK, TO_SITE } from './links.ts';
import { ACTIVE, neutral, statPanel, timelinePanel } from './panels.ts';

/** Returns the panels for one cause, `$cause`, at `$site` and elsewhere. */
export function causePanels(): readonly Builder<Panel>[] {
  return [
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
        description: 'A click leads to the status page of the agent, or to its runbook of this cause.',
        expr: 'ftm_cause_active{job="ftm-watch", site="$site", cause="$cause"} == 1',
        legend: '{{instance}}',
        links: [TO_PAGE, TO_RUNBOOK],
      },
      { width: 18, meaning: ACTIVE },
    ),
    timelinePanel(
      {
        title: 'Incidents with this cause',
        description: 'At all sites, by what they are about.',
        expr: 'site_incident:ftm_incident_open:max{cause="$cause"}',
        legend: '{{site}} {{subject}}',
        links: [TO_SITE],
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
        links: [TO_PAGE],
      },
      ACTIVE,
      8,
    ),
  ];
}
