import type { ProbeSample } from '../core/round.ts';
import type { Metrics } from './definitions.ts';
import type { ProbeSeries } from './probe-series.ts';

/** Counts every probe of a round. A target counts as answering when all of its addresses do. */
export function recordSamples(metrics: Metrics, series: ProbeSeries, samples: readonly ProbeSample[]): void {
  const answered = new Map<string, { readonly probe: string; readonly target: string; readonly all: boolean }>();
  for (const { probe, target, durationMs, failure } of samples) {
    const labels = { probe, target };
    series.make(labels);
    metrics.probeRuns.inc(labels);
    metrics.probeDuration.observe(labels, durationMs / 1000);
    if (failure !== null) metrics.probeFailures.inc({ ...labels, reason: failure });
    const key = `${probe} ${target}`;
    answered.set(key, { ...labels, all: (answered.get(key)?.all ?? true) && failure === null });
  }
  for (const { probe, target, all } of answered.values()) metrics.probeSuccess.set({ probe, target }, all ? 1 : 0);
}
