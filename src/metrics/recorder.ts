import type { SlowFactsBySource, RoundObservations } from '../sources/registry.ts';
import type { Config } from '../config/config.ts';
import { type ChangeRefusal, type LoginResult } from '../core/audit.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Severity } from '../core/severity.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import type { DeliveryResult } from '../engine/incident/journal.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import type { PollingReport } from '../core/polling/report.ts';
import { UNNAMED } from '../core/polling/state.ts';
import type { JudgedRound } from '../checks/judged-round.ts';
import { configuredSubjects } from './configured-subjects.ts';
import type { Metrics } from './definitions.ts';
import { licenseAssignments } from './license-assignments.ts';
import { openIncidents, type TellableIncident } from './open-incidents.ts';
import { samplesOf } from '../sources/samples-of.ts';
import { ProbeSeries } from './probe-series.ts';
import { createZeroSeries, forgetAppliances, forgetMeasurements, type Expected } from './zero-series.ts';

/** Turns what happens into metrics. */
export class Recorder {
  readonly #metrics: Metrics;
  readonly #probes: ProbeSeries;
  #expected: Expected | null = null;
  #subjects: ReadonlySet<string> = new Set();
  /** Labels of `ftm_cause_active` that are at 1. */
  #activeCauses: ReadonlyMap<string, { readonly cause: string; readonly severity: Severity }> = new Map();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#probes = new ProbeSeries(metrics);
  }

  /**
   * Makes the series of a configuration, at zero, and forgets what was measured under the one before. What both name
   * goes on counting.
   */
  expect(expected: Expected): void {
    forgetMeasurements(this.#metrics);
    if (this.#expected !== null) forgetAppliances(this.#metrics, this.#expected, expected);
    this.#probes.expect(expected.probes);
    createZeroSeries(this.#metrics, expected);
    this.#activeCauses = new Map();
    this.#metrics.siteInfo.reset();
    this.#metrics.siteInfo.set({ configured_site: expected.config.site }, 1);
    this.#subjects = configuredSubjects(expected.config, expected.probes);
    this.#expected = expected;
  }

  /** A round has ended, of use or not. */
  ended({ durationMs }: Pick<RoundObservations, 'durationMs'>): void {
    this.#metrics.roundDuration.set(durationMs / 1000);
  }

  /** What the probes of a round measured; not of a round in which this process itself stalled. */
  measured(observations: RoundObservations, judged: JudgedRound, config: Config): void {
    this.#probes.record(samplesOf(observations));
    this.#metrics.sources.take(observations, config);
    this.#tls(judged);
  }

  /** All metrics are about to be read. Call what it returns when they were. */
  scraping(): () => void {
    return this.#probes.scraping();
  }

  diagnosed(diagnosis: Diagnosis, config: Config): void {
    this.#states(diagnosis);
    this.#metrics.licenseAssigned.reset();
    for (const { appliance, license, assigned } of licenseAssignments(diagnosis, config))
      this.#metrics.licenseAssigned.set({ appliance, license }, assigned);
  }

  /** What was seen beside the rounds. */
  units(picture: SlowFactsBySource, config: Config): void {
    this.#metrics.sources.take(picture, config);
  }

  incidents(incidents: readonly TellableIncident[]): void {
    this.#causes(incidents);
    this.#metrics.incidentOpen.reset();
    for (const labels of openIncidents(incidents, this.#subjects)) this.#metrics.incidentOpen.set({ ...labels }, 1);
  }

  /** What the log said before a restart. */
  heard({ appliances }: PollingReport): void {
    for (const { name: appliance, lastLineAt, errors } of appliances) {
      if (lastLineAt !== null) this.#metrics.logLastReceived.set({ appliance }, lastLineAt / 1000);
      if (errors.length > 0)
        this.#metrics.pollingLastError.set({ appliance }, Math.max(...errors.map(({ lastAt }) => lastAt)) / 1000);
    }
  }

  logEvent(event: LogEvent): void {
    if (event.kind !== 'ftm') return;
    const appliance = event.appliance ?? UNNAMED;
    this.#metrics.pollingErrors.inc({ appliance, signature: event.signature }, event.count);
    this.#metrics.pollingLastError.set({ appliance }, event.at / 1000);
  }

  delivery(channel: string, result: DeliveryResult, at: EpochMs): void {
    this.#metrics.notifications.inc({ channel, result });
    if (result === 'sent') this.#metrics.notificationLastSuccess.set({ channel }, at / 1000);
  }

  lag(lag: Millis): void {
    this.#metrics.scheduleLag.observe(lag / 1000);
  }

  /** How late the event loop was at one moment. */
  loopLag(lag: Millis): void {
    this.#metrics.eventLoopLag.observe(lag / 1000);
  }

  missed(): void {
    this.#metrics.missedRuns.inc();
  }

  /** @param end of the certificate of the status page; null: it has none */
  ownCertificate(end: EpochMs | null): void {
    if (end === null) this.#metrics.ownCertificateEnd.remove();
    else this.#metrics.ownCertificateEnd.set(end / 1000);
  }

  login(result: LoginResult): void {
    this.#metrics.webLogins.inc({ result });
  }

  change(result: 'done' | ChangeRefusal): void {
    this.#metrics.webChanges.inc({ result });
  }

  reload(taken: boolean, at: EpochMs): void {
    this.#metrics.reloadSuccessful.set(taken ? 1 : 0);
    if (taken) this.#metrics.reloadSuccessTime.set(at / 1000);
  }

  #states({ ready, preconditions }: Diagnosis): void {
    const { activationReady, preconditionState } = this.#metrics;
    if (ready === 'unknown') activationReady.remove();
    else activationReady.set(ready === 'ready' ? 1 : 0);
    for (const { id, state } of preconditions) preconditionState.set(id, state);
  }

  #causes(incidents: readonly TellableIncident[]): void {
    const open = incidents.filter(({ status }) => status === 'open');
    const active = new Map(open.map(({ cause: { id, severity } }) => [`${id} ${severity}`, { cause: id, severity }]));
    for (const [key, labels] of this.#activeCauses) if (!active.has(key)) this.#metrics.causeActive.set(labels, 0);
    for (const labels of active.values()) this.#metrics.causeActive.set(labels, 1);
    this.#activeCauses = active;
  }

  #tls({ tls }: JudgedRound): void {
    for (const { path, judged } of tls) this.#metrics.tlsVerdict.set(path.subject, judged.worst?.verdict ?? null);
  }
}
