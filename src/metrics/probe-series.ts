import { FAILURE_REASONS } from '../core/observation.ts';
import type { ProbeTarget } from '../core/round.ts';
import type { Metrics } from './definitions.ts';

/** The counters of probes: at zero before the first count, and gone with the configuration that named their targets. */
export interface ProbeSeries {
  /** Makes those that are not there yet. */
  make(probe: ProbeTarget): void;
  /** Removes all others; those that stay go on counting. */
  keepOnly(probes: readonly ProbeTarget[]): void;
}

export function createProbeSeries({ probeRuns, probeDuration, probeFailures }: Metrics): ProbeSeries {
  const made = new Map<string, ProbeTarget>();

  function remove(key: string, labels: ProbeTarget): void {
    made.delete(key);
    probeRuns.remove(labels);
    probeDuration.remove(labels);
    for (const reason of FAILURE_REASONS) probeFailures.remove({ ...labels, reason });
  }

  return {
    make: ({ probe, target }) => {
      const key = keyOf({ probe, target });
      if (made.has(key)) return;
      const labels = { probe, target };
      made.set(key, labels);
      probeRuns.inc(labels, 0);
      probeDuration.zero(labels);
      // Known series exist at zero from the start, so that rate() sees the first failure.
      for (const reason of FAILURE_REASONS) probeFailures.inc({ ...labels, reason }, 0);
    },
    keepOnly: (probes) => {
      const kept = new Set(probes.map(keyOf));
      for (const [key, labels] of made) if (!kept.has(key)) remove(key, labels);
    },
  };
}

function keyOf({ probe, target }: ProbeTarget): string {
  return `${probe} ${target}`;
}
