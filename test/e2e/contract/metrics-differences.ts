import type { Difference } from '../../support/contract-differences.ts';

const OF_EVERY_EXPORTER: Readonly<Record<string, 'counter' | 'gauge'>> = {
  process_cpu_seconds_total: 'counter',
  process_start_time_seconds: 'gauge',
  process_resident_memory_bytes: 'gauge',
  process_virtual_memory_bytes: 'gauge',
  process_open_fds: 'gauge',
  process_max_fds: 'gauge',
  nodejs_heap_size_used_bytes: 'gauge',
  nodejs_heap_size_bytes: 'gauge',
  nodejs_external_memory_bytes: 'gauge',
  nodejs_version_info: 'gauge',
};

/** What has changed in `/metrics` beside what one check or source brought. */
export const METRICS_DIFFERENCES: readonly Difference[] = [
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
];
