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
        description:
          'A single site has a local fault. Several sites at the same time have something in common that is faulty.',
        expr: 'count(max by (site) (site_incident:ftm_incident_open:max{cause="$cause"})) or vector(0)',
        legend: 'sites',
      },
      { width: 6, thresholds: neutral() },
    ),
    statPanel(
      {
        title: 'Agents that see this cause at $site',
        description: "Click to open the agent's status page or the runbook for this cause.",
        expr: 'ftm_cause_active{job="ftm-watch", site="$site", cause="$cause"} == 1',
        legend: '{{instance}}',
        links: [TO_PAGE, TO_RUNBOOK],
      },
      { width: 18, meaning: ACTIVE },
    ),
    timelinePanel(
      {
        title: 'Incidents with this cause',
        description: 'Incidents at all sites, by subject.',
        expr: 'site_incident:ftm_incident_open:max{cause="$cause"}',
        legend: '{{site}} {{subject}}',
        links: [TO_SITE],
      },
      ACTIVE,
      10,
    ),
    timelinePanel(
      {
        title: 'Incidents by agent at $site',
        description: 'Incidents with their subjects, at most 50 per agent.',
        expr: 'ftm_incident_open{job="ftm-watch", site="$site", cause="$cause"}',
        legend: '{{instance}} {{subject}}',
        links: [TO_PAGE],
      },
      ACTIVE,
      8,
    ),
  ];
}
