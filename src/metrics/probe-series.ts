import { FAILURE_REASONS, type FailureReason } from '../core/observation.ts';
import type { ProbeSample, ProbeTarget } from '../core/round.ts';
import type { Metrics } from './definitions.ts';
import { CAUSE_IDS, CHECKS, wordsOf } from '../checks/registry.ts';
import { CHANGE_REFUSALS, LOGIN_RESULTS } from '../core/audit.ts';
import type { Config } from '../config/config.ts';
import type { DeliveryResult } from '../engine/incident/incident.ts';
import { CONNECTION_RESULTS, LOG_RESULTS, LOG_SOURCES } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { UNNAMED } from '../core/polling/state.ts';
import { CHANNEL_IDS } from '../notify/channels/registry.ts';
import { authority } from '../core/addresses.ts';

/**
 * Only the series of these failures are created in advance, because each reason adds one series per target. Series for
 * other reasons are created when such a failure occurs.
 */
const USUAL: Readonly<Record<string, readonly FailureReason[]>> = {
  dns: ['timeout', 'refused', 'rejected'],
  tcp: ['timeout', 'refused'],
  tls: ['reset'],
  http: ['closed'],
  mail: ['timeout', 'refused', 'tls', 'rejected'],
  ntp: ['timeout', 'refused'],
};

/** Timeouts are the only common failure of other probes. */
function usualFailures(probe: string): readonly FailureReason[] {
  return USUAL[probe] ?? ['timeout'];
}

/**
 * Counters are created with the value zero before the first probe, and removed when their target is no longer
 * configured.
 */
export class ProbeSeries {
  readonly #metrics: Metrics;
  readonly #made = new Map<string, ProbeTarget>();
  readonly #failures = new Map<string, FailureLabels>();
  /** Failures that are not counted yet, because their new series must first be scraped with the value zero. */
  readonly #unseen = new Map<string, { readonly labels: FailureLabels; readonly count: number }>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /**
   * Creates missing series and removes those of targets that are no longer configured. Other counters keep their
   * values.
   */
  expect(probes: readonly ProbeTarget[]): void {
    const kept = new Set(probes.map(keyOf));
    for (const [key, labels] of this.#made) if (!kept.has(key)) this.#remove(key, labels);
    for (const probe of probes) this.#make(probe);
  }

  /** A target's probe counts as successful only if all the target's addresses were successful. */
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

  /**
   * Must be called before a scrape reads the metrics. Returns a function that must be called after the scrape: it
   * counts delayed failures in the series that were scraped with the value zero.
   */
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

  /** In a new series, the failure is counted after the next scrape, because rate() needs an earlier value. */
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

const RESULTS: readonly DeliveryResult[] = ['sent', 'failed', 'rejected', 'expired'];

export interface Expected {
  readonly config: Config;
  readonly signatures: SignatureSet;
  readonly probes: readonly ProbeTarget[];
  /** The targets whose certificate chains are evaluated. */
  readonly judged: readonly string[];
}

/**
 * Alerts don't detect an increase if a series appears only with the first error. Gauges for measurements are created
 * with the first measurement.
 */
export function createZeroSeries(metrics: Metrics, expected: Expected): void {
  zeroStates(metrics, expected);
  zeroLog(metrics, expected);
  for (const result of LOGIN_RESULTS) metrics.webLogins.inc({ result }, 0);
  for (const result of ['done', ...CHANGE_REFUSALS]) metrics.webChanges.inc({ result }, 0);
  for (const channel of CHANNEL_IDS) {
    metrics.notificationsPending.set({ channel }, 0);
    metrics.notificationLastSuccess.inc({ channel }, 0);
    for (const result of RESULTS) metrics.notifications.inc({ channel, result }, 0);
  }
}

/** Targets may have been removed, and a measurement that is no longer updated would be misleading. */
export function forgetMeasurements(metrics: Metrics): void {
  metrics.activationReady.remove();
  metrics.observed.forget();
  for (const gauge of [
    metrics.probeSuccess,
    metrics.tlsVerdict,
    metrics.pollingLastError,
    metrics.logLastReceived,
    metrics.licenseAssigned,
  ])
    gauge.reset();
}

export function forgetAppliances(
  { pollingErrors }: Metrics,
  before: Expected,
  { config }: Pick<Expected, 'config'>,
): void {
  const named = new Set(config.appliances.map(({ name }) => name));
  for (const { name: appliance } of before.config.appliances)
    if (!named.has(appliance))
      for (const { id: signature } of before.signatures.signatures) pollingErrors.remove({ appliance, signature });
}

/** A series for each cause and each severity that it can have: the default, and those of the configured services. */
function zeroCauses(metrics: Metrics, { services }: Pick<Config, 'services'>): void {
  metrics.causeActive.reset();
  const others = new Set(services.map(({ severity }) => severity));
  for (const cause of CAUSE_IDS) {
    const { severity, brokenPath } = wordsOf(cause);
    const own = brokenPath === undefined ? [severity] : [severity, 'critical' as const];
    for (const each of [...own, ...others]) metrics.causeActive.set({ cause, severity: each }, 0);
  }
}

function zeroStates(metrics: Metrics, { config, judged }: Expected): void {
  for (const { id } of CHECKS) metrics.preconditionState.set(id, 'unknown');
  zeroCauses(metrics, config);
  for (const target of judged) metrics.tlsVerdict.set(target, 'unknown');
}

function zeroLog(metrics: Metrics, { config, signatures }: Expected): void {
  for (const appliance of [...config.appliances.map(({ name }) => name), UNNAMED]) {
    metrics.pollingLastError.set({ appliance }, 0);
    for (const signature of signatures.signatures)
      if (signature.kind === 'message' && signature.explainOnly !== true)
        metrics.pollingErrors.inc({ appliance, signature: signature.id }, 0);
  }
  for (const result of CONNECTION_RESULTS) metrics.logConnections.inc({ result }, 0);
  for (const source of LOG_SOURCES) for (const result of LOG_RESULTS) metrics.logLines.inc({ source, result }, 0);
}

/** For subjects that are not configured, such as a licence or mail server that an API reported. */
export const OTHER_SUBJECT = 'other';

export function configuredSubjects(config: Config, probes: readonly ProbeTarget[]): ReadonlySet<string> {
  return new Set([...CHECKS.map(({ id }) => id), ...probes.map(({ target }) => target), ...namesIn(config)]);
}

/** All strings in a value, and hosts with ports as `host:port`. */
export function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const { host, port } = { host: null, port: null, ...value };
  const place = typeof host === 'string' && typeof port === 'number' ? [authority({ host, port })] : [];
  return [...place, ...Object.values(value).flatMap(namesIn)];
}
