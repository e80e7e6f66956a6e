import type { EpochMs, Millis } from '../core/clock.ts';
import type { SummaryFacts } from '../notify/summary-facts.ts';
import { availabilityByDay } from './day-availability.ts';
import type { RoundResult } from '../report/round-result.ts';
import type { Store } from '../store/store.ts';

const DAY: Millis = 86_400_000;
const ENDS_SOON: Millis = 30 * DAY;
const MOST_ENDED = 100;
const MOST_APPLIANCES = 50;

export interface SummarySources {
  readonly store: Pick<Store, 'availability' | 'ended' | 'hourlyValues'>;
  /** The latest round; null before the first. */
  readonly last: Pick<RoundResult, 'judged'> | null;
}

export function summaryFactsOf(
  { store, last }: SummarySources,
  ownCertificateEnd: EpochMs | null,
  { from, until }: { readonly from: EpochMs; readonly until: EpochMs },
): SummaryFacts {
  // All of the time as one day: the share of the precondition that was broken for longest.
  const [whole] = availabilityByDay(store.availability(from, DAY).map((state) => ({ ...state, day: 0 })));
  const tokens = store.hourlyValues('tokens-left', until - DAY, MOST_APPLIANCES);
  const own = ownCertificateEnd === null ? [] : [{ what: 'the certificate of the status page', at: ownCertificateEnd }];
  return {
    availability: whole?.share ?? null,
    ended: store.ended(from, MOST_ENDED) ?? [],
    tokensLeft: [...new Map(tokens.map(({ subject, value }) => [subject, value]))].map(([appliance, count]) => ({
      appliance,
      count,
    })),
    ends: [...certificateEnds(last), ...own].filter(({ at }) => at - until < ENDS_SOON).toSorted((a, b) => a.at - b.at),
  };
}

/** Of each host, the leaf that ends first. */
function certificateEnds(last: SummarySources['last']): SummaryFacts['ends'] {
  return (last?.judged.tls ?? []).flatMap(({ path, judged }) => {
    const leaves = judged.endpoints.flatMap(({ outcome }) => outcome.chain?.certificates.slice(0, 1) ?? []);
    return leaves.length === 0
      ? []
      : [{ what: `the certificate of ${path.subject}`, at: Math.min(...leaves.map(({ notAfter }) => notAfter)) }];
  });
}
