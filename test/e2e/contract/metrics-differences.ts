import type { Difference } from '../../support/contract-differences.ts';

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
];
