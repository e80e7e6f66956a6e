import { POLICY } from './incident-timeline.ts';
import type { SummaryFacts } from '../../src/notify/notes.ts';

/** Of a time of which nothing is known. */
export function noSummaryFacts(): SummaryFacts {
  return { availability: null, ended: [], tokensLeft: [], ends: [] };
}

/** Of a site in UTC that asks for no summary. */
export const PLAIN_PARTS = { policy: POLICY, timezone: 'UTC', summary: null } as const;

/** What such a site is given to work with, besides its clock and its journal. */
export const PLAIN_DEPS = {
  summaryFacts: noSummaryFacts,
  env: {},
  readSecret: (): Promise<string> => Promise.reject(new Error('no secrets here')),
};
