import type { SummaryFacts } from '../../src/notify/summary-facts.ts';

/** Of a time of which nothing is known. */
export function noSummaryFacts(): SummaryFacts {
  return { availability: null, ended: [], tokensLeft: [], ends: [] };
}
