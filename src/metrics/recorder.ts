import type { Picture } from '../connectors/picture.ts';
import { type RoundObservations, samplesOf } from '../core/round.ts';
import type { Config } from '../config/config.ts';
import type { ChangeRefusal, LoginResult } from '../core/audit.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type Severity, compareSeverity } from '../core/severity.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import type { DeliveryResult, Incident } from '../engine/incident/incident.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import type { PollingReport } from '../core/polling/report.ts';
import { UNNAMED } from '../core/polling/state.ts';
import type { JudgedRound } from '../checks/judgement.ts';
import {
  configuredSubjects,
  ProbeSeries,
  createZeroSeries,
  forgetAppliances,
  forgetMeasurements,
  type Expected,
  OTHER_SUBJECT,
} from './probe-series.ts';
import type { Metrics } from './definitions.ts';

interface OpenIncident {
  readonly cause: string;
  readonly severity: Severity;
  readonly subject: string;
}

type TellableIncident = Pick<Incident, 'status' | 'cause' | 'openedAt'>;

const MOST = 50;

/**
 * The most severe open incidents. Subjects that are not in `named` become `other`, because label values never contain
 * text from the network.
 */
export function openIncidents(
  incidents: readonly TellableIncident[],
  named: ReadonlySet<string>,
): readonly OpenIncident[] {
  const open = incidents
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity) || a.openedAt - b.openedAt)
    .map(({ cause: { id, severity, subject } }) => ({
      cause: id,
      severity,
      subject: named.has(subject) ? subject : OTHER_SUBJECT,
    }));
  return [...new Map(open.map((each) => [JSON.stringify(each), each])).values()].slice(0, MOST);
}

export class Recorder {
  readonly #metrics: Metrics;
  readonly #probes: ProbeSeries;
  #expected: Expected | null = null;
  #subjects: ReadonlySet<string> = new Set();
  /** The `ftm_cause_active` series that have the value 1. */
  #activeCauses: ReadonlyMap<string, { readonly cause: string; readonly severity: Severity }> = new Map();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#probes = new ProbeSeries(metrics);
  }

  /** Counters that also belong to the new configuration keep their values. All measurements are removed. */
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

  /** Called even if the round's results cannot be used. */
  ended({ durationMs, stalledMs }: Pick<RoundObservations, 'durationMs' | 'stalledMs'>): void {
    this.#metrics.roundDuration.set(durationMs / 1000);
    this.loopLag(stalledMs);
  }

  /** Must not be called if this process stalled during the round. */
  measured(observations: RoundObservations, judged: JudgedRound, config: Config): void {
    this.#probes.record(samplesOf(observations));
    this.#metrics.observed.round(observations, config);
    this.#tls(judged);
  }

  /** Must be called before a scrape reads the metrics. Returns a function that must be called after the scrape. */
  scraping(): () => void {
    return this.#probes.scraping();
  }

  diagnosed(diagnosis: Diagnosis, config: Config): void {
    this.#states(diagnosis);
    this.#metrics.licenseAssigned.reset();
    for (const { appliance, license, assigned } of licenseAssignments(diagnosis, config))
      this.#metrics.licenseAssigned.set({ appliance, license }, assigned);
  }

  /** Appliances are queried independently of rounds. */
  units(picture: Picture): void {
    this.#metrics.observed.picture(picture);
  }

  incidents(incidents: readonly TellableIncident[]): void {
    this.#causes(incidents);
    this.#metrics.incidentOpen.reset();
    for (const labels of openIncidents(incidents, this.#subjects)) this.#metrics.incidentOpen.set({ ...labels }, 1);
  }

  /** Restores metrics about the log from a report that was saved before a restart. */
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

  loopLag(lag: Millis): void {
    this.#metrics.eventLoopLag.observe(lag / 1000);
  }

  missed(): void {
    this.#metrics.missedRuns.inc();
  }

  /** @param end null if there is no certificate */
  ownCertificate(end: EpochMs | null): void {
    if (end === null) this.#metrics.ownCertificateEnd.remove();
    else this.#metrics.ownCertificateEnd.set(end / 1000);
  }

  pushFailed(): void {
    this.#metrics.pushFailures.inc();
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

interface LicenseAssignment {
  readonly appliance: string;
  readonly license: string;
  readonly assigned: number;
}

/**
 * A licence without a finding is correctly assigned. Licences that could not be checked are left out, and so are those
 * that only an appliance reported: label values never contain text from the network.
 */
export function licenseAssignments(
  { preconditions }: Diagnosis,
  { appliances, registration }: Pick<Config, 'appliances'> & { readonly registration: object | null },
): readonly LicenseAssignment[] {
  const status = preconditions.find(({ id }) => id === 'license-assignment');
  if (status === undefined || registration === null || status.state === 'not-configured') return [];
  // The licences have not been checked yet.
  if (status.state === 'unknown' && status.findings.length === 0) return [];
  const byAppliance = Map.groupBy(status.findings, ({ facts }) => facts?.appliance);
  return appliances.flatMap(({ name: appliance, licenses }) =>
    licenses.flatMap((license) => {
      const levels = (byAppliance.get(appliance) ?? [])
        .filter((finding) => concerns(finding, license))
        .map(({ level }) => level);
      const isWrong = levels.includes('broken') || levels.includes('warning');
      return levels.includes('unknown') ? [] : [{ appliance, license, assigned: isWrong ? 0 : 1 }];
    }),
  );
}

/** A finding that mentions only an appliance applies to all its licences. */
function concerns({ facts }: Finding, license: string): boolean {
  return (facts?.license ?? license).toUpperCase() === license.toUpperCase();
}
