import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { VERDICTS } from '../../../src/checks/tls-genuine/chain-case.ts';
import { STATE_TONES, STATE_WORDS } from '../../../src/document/states.ts';
import { toCause } from './links.ts';
import {
  ACTIVE,
  blueFrom,
  greenFrom,
  seriesPanel,
  stateNumber,
  statesShown,
  statPanel,
  timelinePanel,
  TONE_COLORS,
  whenUnknown,
} from './panels.ts';
import { VERDICT, verdictQuery } from './verdict.ts';

/** Returns the panels for one site, `$site`: whether users can activate, why not, and what may fail next. */
export function sitePanels(): readonly Builder<Panel>[] {
  return [...now(), ...states(), ...stock(), ...errors()];
}

/** Returns the panels for a close look, which are folded into a row. */
export function siteDetails(): readonly Builder<Panel>[] {
  return [...answers(), ...timings(), ...outside(), ...logs(), ...told()];
}

/** Returns a selector for a series of the site. */
function of(metric: string, more = ''): string {
  return `${metric}{job="ftm-watch", site="$site"${more === '' ? '' : `, ${more}`}}`;
}

/** The least severe first. */
const STATES = ['not-configured', 'ok', 'unknown', 'blocked', 'warning', 'broken'] as const;
const STATE_MEANING = statesShown(
  STATES.map((state) => STATE_WORDS[state]),
  Object.fromEntries(STATES.map((state) => [STATE_WORDS[state], TONE_COLORS[STATE_TONES[state]]])),
);
const VERDICT_STATES = VERDICTS.toReversed();
const VERDICT_COLORS = { genuine: 'green', unknown: 'purple', rotated: 'orange', intercepted: 'red', blocked: 'red' };

function now(): readonly Builder<Panel>[] {
  return [
    statPanel(
      {
        title: 'Can users activate?',
        description: 'The words are those of the status page. If nothing is shown, the state is unknown.',
        expr: verdictQuery('site="$site"'),
        legend: '{{site}}',
      },
      { width: 12, meaning: VERDICT, thresholds: whenUnknown(), missing: STATE_WORDS.unknown },
    ),
    statPanel(
      {
        title: 'Tokens left',
        description: 'Tokens that can still be assigned to users.',
        expr: 'site_appliance:ftm_tokens_left:min{site="$site"}',
        legend: '{{appliance}}',
      },
      { width: 6, thresholds: blueFrom(1) },
    ),
    statPanel(
      {
        title: 'Certificates: days left',
        description:
          'Only targets with a genuine certificate are included, because the expiry date of a forged ' +
          'certificate is irrelevant.',
        expr:
          `(min by (target) (${of('ftm_tls_certificate_not_after_timestamp_seconds')} and on (instance, target) ` +
          `${of('ftm_tls_verdict', 'verdict="genuine"')} == 1) - time()) / 86400`,
        legend: '{{target}}',
      },
      { width: 6, thresholds: greenFrom(14) },
    ),
  ];
}

function states(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Open causes',
        description: 'The root causes of open incidents. Click to open the cause and its runbook.',
        expr: 'site_incident:ftm_incident_open:max{site="$site"}',
        legend: '{{cause}} {{subject}} ({{severity}})',
        links: [toCause('$site')],
      },
      ACTIVE,
      6,
    ),
    timelinePanel(
      {
        title: 'Preconditions',
        description: 'Preconditions in the order of the path. Start with the first broken precondition.',
        expr: stateNumber((selector) => of('ftm_precondition_state', selector), {
          by: 'precondition',
          label: 'state',
          states: STATES,
        }),
        legend: '{{precondition}}',
      },
      STATE_MEANING,
      10,
    ),
    timelinePanel(
      {
        title: 'Verdict on the certificates',
        description:
          'Shows whether each target presents its genuine certificate. If agents disagree, the worst verdict is shown.',
        expr: stateNumber((selector) => of('ftm_tls_verdict', selector), {
          by: 'target',
          label: 'verdict',
          states: VERDICT_STATES,
        }),
        legend: '{{target}}',
      },
      statesShown(VERDICT_STATES, VERDICT_COLORS),
      8,
    ),
  ];
}

function stock(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Licences',
        description: 'Shows whether each configured licence is registered to its unit. In gaps, the state was unknown.',
        expr: `min by (appliance, license) (${of('ftm_license_assigned')})`,
        legend: '{{appliance}} {{license}}',
      },
      statesShown(['not assigned', 'assigned'], { 'not assigned': 'red', assigned: 'blue' }),
      6,
    ),
    seriesPanel(
      {
        title: 'Tokens by status',
        description: "FortiAuthenticator's counts. Locked tokens are also counted under their status.",
        expr:
          `max by (appliance, status) (${of('ftm_tokens')}) or ` +
          `label_replace(sum by (appliance) (max by (appliance, status) (${of('ftm_tokens_locked')})), ` +
          `"status", "locked", "", "") or ` +
          `max by (appliance) (label_replace(${of('ftm_tokens_licensed')}, "status", "licensed", "", ""))`,
        legend: '{{appliance}} {{status}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Probes without an answer',
        description: 'Share of the runs in 5 minutes.',
        expr: 'site_target:ftm_probe_failure_ratio:rate5m{site="$site"}',
        legend: '{{probe}} {{target}}',
      },
      'percentunit',
    ),
  ];
}

function errors(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'FortiToken Mobile errors in the log in 15 minutes',
        description: 'Errors that FortiAuthenticator has logged.',
        expr: `max by (appliance, signature) (increase(${of('ftm_polling_errors_total')}[15m])) > 0`,
        legend: '{{appliance}} {{signature}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Time since the last error and the last log line',
        description: 'If no log lines are received, the absence of errors proves nothing.',
        expr:
          `time() - max by (appliance) (label_replace(${of('ftm_log_last_received_timestamp_seconds')} > 0, ` +
          `"what", "line", "", "")) or time() - max by (appliance, what) (label_replace(` +
          `${of('ftm_polling_last_error_timestamp_seconds')} > 0, "what", "error", "", ""))`,
        legend: '{{appliance}} {{what}}',
      },
      's',
    ),
  ];
}

function answers(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Probes with an answer',
        description: 'An answer does not prove that the target is genuine. See the verdicts.',
        expr: `min by (probe, target) (${of('ftm_probe_success')})`,
        legend: '{{probe}} {{target}}',
      },
      statesShown(['no answer', 'answered'], { 'no answer': 'red', answered: 'blue' }),
      8,
    ),
    timelinePanel(
      {
        title: "Resolvers' answers",
        description: 'Shows whether all addresses that were returned for the licence server are expected.',
        expr: `min by (resolver) (${of('ftm_dns_answers_expected')})`,
        legend: '{{resolver}}',
      },
      statesShown(['unexpected', 'expected'], { unexpected: 'red', expected: 'blue' }),
      6,
    ),
  ];
}

function timings(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Probes, 95th percentile',
        description: 'Duration of the probes: less than 50 ms, 250 ms, 1 s or 5 s.',
        expr:
          'histogram_quantile(0.95, sum by (le, probe, target) ' +
          `(rate(${of('ftm_probe_duration_seconds_bucket')}[5m])))`,
        legend: '{{probe}} {{target}}',
      },
      's',
    ),
    seriesPanel(
      {
        title: 'Time to live of DNS answers',
        description: "Time to live of the answer for the licence server's name.",
        expr: `min by (resolver) (${of('ftm_dns_answer_ttl_seconds')})`,
        legend: '{{resolver}}',
      },
      's',
    ),
  ];
}

function outside(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Other networks',
        description: 'Only while a fault is suspected, and if "outside" is configured.',
        expr: `max by (result) (${of('ftm_outside_networks')})`,
        legend: '{{result}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Other networks: age',
        description: 'Results that are older than 20 minutes are not used.',
        expr: `time() - max by (measurement) (${of('ftm_outside_measured_timestamp_seconds')})`,
        legend: '{{measurement}}',
      },
      's',
    ),
  ];
}

function logs(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Log lines per second',
        description:
          'Log lines by result. "unrecognised" lines contain a FortiToken Mobile keyword but match no signature.',
        expr: `sum by (result) (rate(${of('ftm_log_lines_total')}[5m]))`,
        legend: '{{result}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Connections from log senders',
        description: 'Open connections, and failed connections in 15 minutes.',
        expr:
          `sum by (instance) (${of('ftm_log_connections_open')}) or ` +
          `sum by (result) (increase(${of('ftm_log_connections_total', 'result!="accepted"')}[15m])) > 0`,
        legend: '{{instance}}{{result}}',
      },
      'short',
    ),
  ];
}

function told(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Pending notifications',
        description: 'If notifications stay pending, see the runbook for notifications-stuck.',
        expr: of('ftm_notifications_pending'),
        legend: '{{instance}} {{channel}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Notifications per hour',
        description: 'Attempts to deliver notifications, by result.',
        expr: `sum by (channel, result) (increase(${of('ftm_notifications_total')}[1h])) > 0`,
        legend: '{{channel}} {{result}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Time since the last notification',
        description: 'Time since the last delivery by each channel that has delivered a notification.',
        expr: `time() - max by (channel) (${of('ftm_notification_last_success_timestamp_seconds')} > 0)`,
        legend: '{{channel}}',
      },
      's',
    ),
  ];
}
