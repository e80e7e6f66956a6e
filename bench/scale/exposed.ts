import type { Series } from '../../test/support/monitoring/exposition.ts';

export type { Series } from '../../test/support/monitoring/exposition.ts';

/** Returns the value of a series without labels. */
export function valueOf(series: readonly Series[], metric: string): number {
  return series.find(({ name }) => name === metric)?.value ?? Number.NaN;
}

/** Quantiles of the event loop's lag between two scrapes, in seconds, computed as `histogram_quantile` does. */
export function lagBetween(before: readonly Series[], after: readonly Series[]): (quantile: number) => number {
  const earlier = bucketsOf(before);
  const buckets = [...bucketsOf(after)].map(([le, count]) => ({ le, count: count - (earlier.get(le) ?? 0) }));
  const total = buckets.at(-1)?.count ?? 0;
  return (quantile) => {
    const rank = quantile * total;
    const index = buckets.findIndex(({ count }) => count >= rank);
    const [low, high] = [buckets[index - 1], buckets[index]];
    if (high === undefined) return Number.NaN;
    const from = low ?? { le: 0, count: 0 };
    if (high.le === Number.POSITIVE_INFINITY) return from.le;
    return from.le + ((high.le - from.le) * (rank - from.count)) / Math.max(1, high.count - from.count);
  };
}

function bucketsOf(series: readonly Series[]): ReadonlyMap<number, number> {
  const buckets = series.filter(({ name }) => name === 'ftm_event_loop_lag_seconds_bucket');
  return new Map(
    buckets.map(({ labels, value }) => [
      labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']),
      value,
    ]),
  );
}
