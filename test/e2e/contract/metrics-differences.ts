import type { Difference } from '../../support/contract/contract-differences.ts';

const OF_EVERY_EXPORTER: Readonly<Record<string, 'counter' | 'gauge'>> = {
  process_cpu_seconds_total: 'counter',
  process_start_time_seconds: 'gauge',
  process_resident_memory_bytes: 'gauge',
  process_virtual_memory_bytes: 'gauge',
  process_open_fds: 'gauge',
  process_max_fds: 'gauge',
  nodejs_heap_size_used_bytes: 'gauge',
  nodejs_heap_size_total_bytes: 'gauge',
  nodejs_external_memory_bytes: 'gauge',
  nodejs_version_info: 'gauge',
};

/** Changes in `/metrics` that did not come with a single check or source. */
export const METRICS_DIFFERENCES: readonly Difference[] = [
  {
    reason: "Precondition `agent`: ftm-watch's own problems",
    lines: [
      '+ check-*: preconditions[agent]*',
      '+ metrics: ftm_cause_active cause="listener-lost"',
      '+ metrics: ftm_cause_active cause="log-lines-lost"',
      '+ metrics: ftm_cause_active cause="log-sender-refused"',
      '+ metrics: ftm_cause_active cause="notifications-stuck"',
      '+ metrics: ftm_cause_active cause="own-certificate-expires"',
      '+ metrics: ftm_cause_active cause="reload-rejected"',
      '+ metrics: ftm_cause_active cause="store-not-writable"',
      '+ metrics: ftm_precondition_state precondition="agent"',
    ],
  },
  {
    reason: 'Open incidents with their subjects, and the name of the site as the agent has it',
    lines: [
      '+ metrics: # TYPE ftm_incident_open gauge',
      '+ metrics: # TYPE ftm_site_info gauge',
      '+ metrics: ftm_incident_open*',
      '+ metrics: ftm_site_info*',
    ],
  },
  {
    reason: 'What every exporter tells of its process',
    lines: Object.entries(OF_EVERY_EXPORTER).flatMap(([name, type]) => [
      `+ metrics: # TYPE ${name} ${type}`,
      `+ metrics: ${name}*`,
    ]),
  },
  {
    reason: 'Whether metrics that are pushed by OTLP arrive',
    lines: ['+ metrics: # TYPE ftm_metrics_push_failures_total counter', '+ metrics: ftm_metrics_push_failures_total*'],
  },
  {
    reason: '40 series for a target: fewer buckets, and at zero from the start only how a probe usually fails',
    lines: [
      ...['0.001', '0.0025', '0.005', '0.01', '0.025', '0.1', '0.5', '2.5', '10'].map(
        (le) => `- metrics: ftm_probe_duration_seconds_bucket le="${le}"`,
      ),
      ...['aborted', 'internal', 'name-not-resolved', 'no-route', 'protocol'].map(
        (reason) => `- metrics: ftm_probe_failures_total reason="${reason}"`,
      ),
    ],
  },
];
