import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { TO_PAGE, TO_SITE, toCause } from './links.ts';
import { STATE_WORDS } from '../../../src/document/states.ts';
import { ACTIVE, redFrom, seriesPanel, statPanel, timelinePanel, UP, whenUnknown } from './panels.ts';
import { VERDICT, verdictQuery } from './verdict.ts';

/** Returns the panels with an overview of all sites. */
export function fleetPanels(): readonly Builder<Panel>[] {
  return [...now(), ...history(), ...counts()];
}

function now(): readonly Builder<Panel>[] {
  return [
    statPanel(
      {
        title: 'Can users activate?',
        description:
          'Users can activate if all agents of the site report it. If a site is missing, its state is unknown.',
        expr: verdictQuery(''),
        legend: '{{site}}',
        links: [TO_SITE],
      },
      { width: 12, meaning: VERDICT, thresholds: whenUnknown(), missing: STATE_WORDS.unknown },
    ),
    statPanel(
      {
        title: 'Sites that lost a server',
        description:
          'A single site has a local fault. Several sites at the same time indicate an outage at the vendor.',
        expr: 'max(count by (subject) (site_subject:ftm_server_lost:max)) or vector(0)',
        legend: 'sites',
      },
      { width: 6, thresholds: redFrom(1) },
    ),
    statPanel(
      {
        title: 'Agents',
        description: 'Shows whether Prometheus can reach each agent.',
        expr: 'up{job="ftm-watch"}',
        legend: '{{site}} {{instance}}',
        links: [TO_PAGE],
      },
      { width: 6, meaning: UP },
    ),
  ];
}

function history(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Readiness',
        description: 'In gaps, the state was unknown.',
        expr: verdictQuery(''),
        legend: '{{site}}',
        links: [TO_SITE],
      },
      VERDICT,
      8,
    ),
    timelinePanel(
      {
        title: 'Open causes',
        description: 'The root causes of open incidents. Click to open the cause and its runbook.',
        expr: 'site_incident:ftm_incident_open:max',
        legend: '{{site}}: {{cause}} {{subject}}',
        links: [toCause()],
      },
      ACTIVE,
      10,
    ),
  ];
}

function counts(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'FortiToken Mobile errors in the logs per hour',
        description: 'Errors that FortiAuthenticator has logged.',
        expr: 'max by (site) (sum by (site, instance) (increase(ftm_polling_errors_total{job="ftm-watch"}[1h])))',
        legend: '{{site}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Tokens left',
        description: 'Tokens that can still be assigned to users.',
        expr: 'site_appliance:ftm_tokens_left:min',
        legend: '{{site}} {{appliance}}',
        links: [TO_SITE],
      },
      'short',
    ),
  ];
}
