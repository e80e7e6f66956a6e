import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { TO_PAGE } from './links.ts';
import { blueFrom, seriesPanel, statPanel, statesShown, timelinePanel, UP } from './panels.ts';

/** Returns the panels about the agents of `$site`. */
export function daemonPanels(): readonly Builder<Panel>[] {
  return [...present(), ...kept(), ...punctual(), ...used(), ...asked()];
}

function of(metric: string, more = ''): string {
  return `${metric}{job="ftm-watch", site="$site"${more === '' ? '' : `, ${more}`}}`;
}

const FINE = statesShown(['no', 'yes'], { no: 'red', yes: 'blue' });
const BY_INSTANCE = '{{instance}}';

function present(): readonly Builder<Panel>[] {
  return [
    statPanel(
      {
        title: 'Agents',
        description: "Shows whether Prometheus can reach each agent. Click to open the agent's status page.",
        expr: of('up'),
        legend: BY_INSTANCE,
        links: [TO_PAGE],
      },
      { width: 8, meaning: UP },
    ),
    statPanel(
      {
        title: 'Version',
        description: 'Versions of each agent and its Node.js, and the configured name of its site.',
        expr:
          `max by (instance, version, node) (${of('ftm_build_info')}) or ` +
          `max by (instance, version) (${of('nodejs_version_info')}) or ` +
          `max by (instance, configured_site) (${of('ftm_site_info')})`,
        legend: '{{instance}} {{version}} {{configured_site}}',
      },
      { width: 8 },
    ),
    statPanel(
      {
        title: 'Uptime in hours',
        description: 'Time since the process was started.',
        expr: `(time() - ${of('process_start_time_seconds')}) / 3600`,
        legend: BY_INSTANCE,
      },
      { width: 4 },
    ),
    statPanel(
      {
        title: "Status page's certificate: days left",
        description: 'Empty if web.tls is not set.',
        expr: `(${of('ftm_web_certificate_expiry_timestamp_seconds')} - time()) / 86400`,
        legend: BY_INSTANCE,
      },
      { width: 4, thresholds: blueFrom(14) },
    ),
  ];
}

function kept(): readonly Builder<Panel>[] {
  return [
    timelinePanel(
      {
        title: 'Store, configuration and other agents',
        description:
          'Shows whether history can be written, whether the last configuration was accepted, ' +
          'and whether other agents can be read.',
        expr:
          `label_replace(${of('ftm_store_writable')}, "what", "store", "", "") or ` +
          `label_replace(1 - ${of('ftm_store_newer')}, "what", "store of this version", "", "") or ` +
          `label_replace(${of('ftm_config_last_reload_successful')}, "what", "configuration", "", "") or ` +
          `label_replace(${of('ftm_peer_readable')}, "what", "peer $1", "peer", "(.*)")`,
        legend: '{{instance}} {{what}}',
      },
      FINE,
      6,
    ),
    timelinePanel(
      {
        title: 'Maintenance windows',
        description: 'During a maintenance window, notifications are held back.',
        expr: of('ftm_maintenance_active'),
        legend: BY_INSTANCE,
      },
      statesShown(['none', 'open'], { none: 'text', open: 'purple' }),
      4,
    ),
  ];
}

function punctual(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Duration of a round',
        description: 'The duration should be shorter than the interval of the schedule.',
        expr: of('ftm_round_duration_seconds'),
        legend: BY_INSTANCE,
      },
      's',
    ),
    seriesPanel(
      {
        title: 'Delay, 95th percentile',
        description: 'Delay of scheduled runs and of the event loop.',
        expr: ['ftm_schedule_lag_seconds', 'ftm_event_loop_lag_seconds']
          .map(
            (name) =>
              'label_replace(histogram_quantile(0.95, sum by (le, instance) ' +
              `(rate(${of(`${name}_bucket`)}[5m]))), "what", "${name}", "", "")`,
          )
          .join(' or '),
        legend: '{{instance}} {{what}}',
      },
      's',
    ),
    seriesPanel(
      {
        title: 'Probe runs and missed runs, 15 minutes',
        description: 'If the number of runs is zero, nothing is monitored.',
        expr:
          `sum by (instance) (increase(${of('ftm_probe_runs_total')}[15m])) or ` +
          `label_replace(increase(${of('ftm_schedule_missed_runs_total')}[15m]), "what", "missed", "", "")`,
        legend: '{{instance}} {{what}}',
      },
      'short',
    ),
    seriesPanel(
      {
        title: 'Time since the last configuration change',
        description: 'Time since the last start or successful reload.',
        expr: `time() - ${of('ftm_config_last_reload_success_timestamp_seconds')}`,
        legend: BY_INSTANCE,
      },
      's',
    ),
  ];
}

function used(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Processor',
        description: 'Share of one processor core.',
        expr: `rate(${of('process_cpu_seconds_total')}[5m])`,
        legend: BY_INSTANCE,
      },
      'percentunit',
    ),
    seriesPanel(
      {
        title: 'Memory',
        description: 'Resident memory, and its parts: the heap, the used heap, and buffers outside of the heap.',
        expr: [
          'process_resident_memory_bytes',
          'nodejs_heap_size_total_bytes',
          'nodejs_heap_size_used_bytes',
          'nodejs_external_memory_bytes',
        ]
          .map((name) => `label_replace(${of(name)}, "what", "${name}", "", "")`)
          .join(' or '),
        legend: '{{instance}} {{what}}',
      },
      'bytes',
    ),
    seriesPanel(
      {
        title: 'Open files, as a share of the limit',
        description: 'Sockets are included.',
        expr: `${of('process_open_fds')} / ${of('process_max_fds')}`,
        legend: BY_INSTANCE,
      },
      'percentunit',
    ),
  ];
}

function asked(): readonly Builder<Panel>[] {
  return [
    seriesPanel(
      {
        title: 'Logins and changes per hour',
        description: 'Requests with a login, silences and reloads, by outcome.',
        expr:
          `sum by (instance, result) (increase(${of('ftm_web_logins_total')}[1h])) > 0 or ` +
          `label_replace(sum by (instance, result) (increase(${of('ftm_web_changes_total')}[1h])) > 0, ` +
          '"what", "change", "", "")',
        legend: '{{instance}} {{what}} {{result}}',
      },
      'short',
    ),
  ];
}
