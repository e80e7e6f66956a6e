import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { ACTIVE, greenFrom, seriesPanel, statPanel, timelinePanel } from './panels.ts';

/** One site, `$site`. */
export function sitePanels(): readonly Builder<Panel>[] {
  return [...verdicts(), ...probes(), ...stock(), ...troubles()];
}

function verdicts(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Open causes',
        description: 'The root causes of open incidents; the runbook of each has its name.',
        expr: 'site_incident:ftm_incident_open:max{site="$site"}',
        legend: '{{cause}} {{subject}} ({{severity}})',
      },
      ACTIVE,
      6,
    ),
    timelinePanel(
      {
        title: 'Broken preconditions',
        description: 'In the order of the path: the first that is broken is the one to look at.',
        expr: 'max by (precondition) (ftm_precondition_state{job="ftm-watch", site="$site", state="broken"})',
        legend: '{{precondition}}',
      },
      ACTIVE,
      10,
    ),
  ];
}

function probes(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Probes, 95th percentile',
        description: 'How long the probes take.',
        expr:
          'histogram_quantile(0.95, sum by (le, probe, target) ' +
          '(rate(ftm_probe_duration_seconds_bucket{job="ftm-watch", site="$site"}[5m])))',
        legend: '{{probe}} {{target}}',
      },
      's',
    ),
    seriesPanel(
      {
        title: 'Probes without an answer',
        description: 'Share of the runs of 5 minutes.',
        expr: 'site_target:ftm_probe_failure_ratio:rate5m{site="$site"}',
        legend: '{{probe}} {{target}}',
      },
      'percentunit',
    ),
  ];
}

function stock(): readonly Builder<Panel>[] {
  return [
    statPanel(
      {
        title: 'Certificates: days left',
        description: 'Of the certificate that each target showed last.',
        expr:
          '(min by (target) (ftm_tls_certificate_not_after_timestamp_seconds{job="ftm-watch", site="$site"}) - ' +
          'time()) / 86400',
        legend: '{{target}}',
      },
      { width: 12, thresholds: greenFrom(14) },
    ),
    statPanel(
      {
        title: 'Tokens left',
        description: 'Tokens that can still be given to users.',
        expr: 'site_appliance:ftm_tokens_left:min{site="$site"}',
        legend: '{{appliance}}',
      },
      { width: 12, thresholds: greenFrom(1) },
    ),
  ];
}

function troubles(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'FortiToken Mobile errors in the log, 15 minutes',
        description: 'What FortiAuthenticator itself complains about.',
        expr:
          'max by (appliance, signature) (increase(ftm_polling_errors_total{job="ftm-watch", site="$site"}[15m])) ' +
          '> 0',
        legend: '{{appliance}} {{signature}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Notifications that wait',
        description: 'More than a moment: see the runbook of FtmNotificationsStuck.',
        expr: 'ftm_notifications_pending{job="ftm-watch", site="$site"}',
        legend: '{{instance}} {{channel}}',
      },
      'short',
    ),
  ];
}
