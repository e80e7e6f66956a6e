import type { Diagnosis } from '../core/diagnosis.ts';
import { PRECONDITION_STATES } from '../core/precondition.ts';
import type { PathObservation, ProbeSample } from '../core/round.ts';
import type { Metrics } from './definitions.ts';

export function recordDiagnosis(metrics: Metrics, { ready, preconditions }: Diagnosis): void {
  if (ready === 'unknown') metrics.activationReady.remove();
  else metrics.activationReady.set(ready === 'ready' ? 1 : 0);
  for (const { id, state } of preconditions) {
    for (const candidate of PRECONDITION_STATES)
      metrics.preconditionState.set({ precondition: id, state: candidate }, candidate === state ? 1 : 0);
  }
}

export function recordSamples(metrics: Metrics, samples: readonly ProbeSample[]): void {
  const answered = new Map<string, { probe: string; target: string; all: boolean }>();
  for (const { probe, target, durationMs, failure } of samples) {
    const labels = { probe, target };
    metrics.probeRuns.inc(labels);
    metrics.probeDuration.observe(labels, durationMs / 1000);
    if (failure !== null) metrics.probeFailures.inc({ ...labels, reason: failure });
    const key = `${probe} ${target}`;
    answered.set(key, { ...labels, all: (answered.get(key)?.all ?? true) && failure === null });
  }
  for (const { probe, target, all } of answered.values()) metrics.probeSuccess.set({ probe, target }, all ? 1 : 0);
}

/** The answers of the resolvers for the licence server. */
export function recordNames(metrics: Metrics, { names }: PathObservation, isExpected: (address: string) => boolean): void {
  for (const { resolver, a, aaaa } of names) {
    const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
    const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
    if (ttls.length > 0) metrics.dnsTtl.set({ resolver }, Math.min(...ttls));
    const addresses = answers.flatMap((answer) => answer.addresses);
    if (addresses.length > 0) metrics.dnsExpected.set({ resolver }, addresses.every(isExpected) ? 1 : 0);
  }
}

/** Known series exist at zero from the start, so that rate() sees the first failure. */
export function createZeroSeries(
  metrics: Metrics,
  targets: readonly Pick<ProbeSample, 'probe' | 'target'>[],
  reasons: readonly string[],
): void {
  for (const { probe, target } of targets) {
    metrics.probeRuns.inc({ probe, target }, 0);
    for (const reason of reasons) metrics.probeFailures.inc({ probe, target, reason }, 0);
  }
}
