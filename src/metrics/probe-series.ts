import { FAILURE_REASONS } from '../core/observation.ts';
import type { ProbeSample, ProbeTarget } from '../core/round.ts';
import type { Metrics } from './definitions.ts';

/** The series of probes: counters at zero before the first count, and gone with the configuration that named them. */
export class ProbeSeries {
  readonly #metrics: Metrics;
  readonly #made = new Map<string, ProbeTarget>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Makes those that are not there yet and removes all others; those that stay go on counting. */
  expect(probes: readonly ProbeTarget[]): void {
    const kept = new Set(probes.map(keyOf));
    for (const [key, labels] of this.#made) if (!kept.has(key)) this.#remove(key, labels);
    for (const probe of probes) this.#make(probe);
  }

  /** Counts every probe of a round. A target counts as answering when all of its addresses do. */
  record(samples: readonly ProbeSample[]): void {
    const { probeRuns, probeDuration, probeFailures, probeSuccess } = this.#metrics;
    for (const { probe, target, durationMs, failure } of samples) {
      const labels = { probe, target };
      this.#make(labels);
      probeRuns.inc(labels);
      probeDuration.observe(labels, durationMs / 1000);
      if (failure !== null) probeFailures.inc({ ...labels, reason: failure });
    }
    const failing = new Set(samples.filter(({ failure }) => failure !== null).map(keyOf));
    for (const { probe, target } of samples)
      probeSuccess.set({ probe, target }, failing.has(keyOf({ probe, target })) ? 0 : 1);
  }

  #make({ probe, target }: ProbeTarget): void {
    const labels = { probe, target };
    if (this.#made.has(keyOf(labels))) return;
    this.#made.set(keyOf(labels), labels);
    this.#metrics.probeRuns.inc(labels, 0);
    this.#metrics.probeDuration.zero(labels);
    // Known series exist at zero from the start, so that rate() sees the first failure.
    for (const reason of FAILURE_REASONS) this.#metrics.probeFailures.inc({ ...labels, reason }, 0);
  }

  #remove(key: string, labels: ProbeTarget): void {
    this.#made.delete(key);
    this.#metrics.probeRuns.remove(labels);
    this.#metrics.probeDuration.remove(labels);
    for (const reason of FAILURE_REASONS) this.#metrics.probeFailures.remove({ ...labels, reason });
  }
}

function keyOf({ probe, target }: ProbeTarget): string {
  return `${probe} ${target}`;
}
