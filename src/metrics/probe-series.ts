import { FAILURE_REASONS, type FailureReason } from '../core/observation.ts';
import type { ProbeSample, ProbeTarget } from '../core/round.ts';
import type { Metrics } from './definitions.ts';
import { usualFailures } from './usual-failures.ts';

/** The series of probes: counters at zero before the first count, and gone with the configuration that named them. */
export class ProbeSeries {
  readonly #metrics: Metrics;
  readonly #made = new Map<string, ProbeTarget>();
  /** Those that have a series of failures. */
  readonly #failures = new Map<string, FailureLabels>();
  /** Failures of a kind that has been at zero in no scrape yet. */
  readonly #unseen = new Map<string, { readonly labels: FailureLabels; readonly count: number }>();

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
    const { probeRuns, probeDuration, probeSuccess } = this.#metrics;
    for (const { probe, target, durationMs, failure } of samples) {
      const labels = { probe, target };
      this.#make(labels);
      probeRuns.inc(labels);
      probeDuration.observe(labels, durationMs / 1000);
      if (failure !== null) this.#fail({ ...labels, reason: failure });
    }
    const failing = new Set(samples.filter(({ failure }) => failure !== null).map(keyOf));
    for (const { probe, target } of samples)
      probeSuccess.set({ probe, target }, failing.has(keyOf({ probe, target })) ? 0 : 1);
  }

  /** Everything is about to be read. Call what it returns when it was: what was at zero in it may count then. */
  scraping(): () => void {
    const shown = [...this.#unseen];
    return () => {
      for (const [key, { labels }] of shown) {
        this.#metrics.probeFailures.inc({ ...labels }, this.#unseen.get(key)?.count ?? 0);
        this.#unseen.delete(key);
      }
    };
  }

  #make({ probe, target }: ProbeTarget): void {
    const labels = { probe, target };
    if (this.#made.has(keyOf(labels))) return;
    this.#made.set(keyOf(labels), labels);
    this.#metrics.probeRuns.inc(labels, 0);
    this.#metrics.probeDuration.zero(labels);
    for (const reason of usualFailures(probe)) this.#makeFailures({ ...labels, reason });
  }

  #makeFailures(labels: FailureLabels): void {
    this.#failures.set(failureKey(labels), labels);
    this.#metrics.probeFailures.inc({ ...labels }, 0);
  }

  /** rate() sees a failure only where the series was there before it. */
  #fail(labels: FailureLabels): void {
    const key = failureKey(labels);
    const waiting = this.#unseen.get(key);
    if (waiting === undefined && this.#failures.has(key)) {
      this.#metrics.probeFailures.inc({ ...labels });
      return;
    }
    this.#unseen.set(key, { labels, count: (waiting?.count ?? 0) + 1 });
    this.#makeFailures(labels);
  }

  #remove(key: string, labels: ProbeTarget): void {
    this.#made.delete(key);
    this.#metrics.probeRuns.remove(labels);
    this.#metrics.probeDuration.remove(labels);
    for (const reason of FAILURE_REASONS) {
      const failures = { ...labels, reason };
      this.#failures.delete(failureKey(failures));
      this.#unseen.delete(failureKey(failures));
      this.#metrics.probeFailures.remove(failures);
    }
  }
}

interface FailureLabels extends ProbeTarget {
  readonly reason: FailureReason;
}

function failureKey({ reason, ...probe }: FailureLabels): string {
  return `${reason} ${keyOf(probe)}`;
}

function keyOf({ probe, target }: ProbeTarget): string {
  return `${probe} ${target}`;
}
