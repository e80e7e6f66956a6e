import { POLICY } from '../store/incident-timeline.ts';
import type { SummaryFacts } from '../../../src/notify/notes.ts';

/** Facts of a period about which nothing is known. */
export function noSummaryFacts(): SummaryFacts {
  return { availability: { ready: 0, notReady: 0, unknown: 0 }, ended: [], tokensLeft: [], ends: [] };
}

/** A site in UTC without a summary. */
export const PLAIN_PARTS = { policy: POLICY, timezone: 'UTC', summary: null } as const;

/** Dependencies of such a site, besides its clock and journal. */
export const PLAIN_DEPS = {
  summaryFacts: noSummaryFacts,
  version: '0.1.0',
  env: {},
  readSecret: (): Promise<string> => Promise.reject(new Error('no secrets here')),
};
