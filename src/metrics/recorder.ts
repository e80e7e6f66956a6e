import { networksOf, OUTSIDE_KINDS, type OutsideProbe } from '../core/outside.ts';
import type { Gauge } from 'prom-client';
import { namesIn } from '../checks/named-subjects.ts';
import { CAUSE_IDS, CHECKS, isAgentCause, wordsOf } from '../checks/registry.ts';
import type { TargetFacts } from '../checks/check.ts';
import type { Config } from '../config/config.ts';
import type { Picture, UnitObservation } from '../connectors/picture.ts';
import { addressInAny, singleAddresses, translatedFrom } from '../core/addresses.ts';
import { CHANGE_REFUSALS, LOGIN_RESULTS, type ChangeRefusal, type LoginResult } from '../core/audit.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { TOKEN_STATUSES } from '../core/license/appliance.ts';
import { valueOf, type DnsObservation, FAILURE_REASONS, type FailureReason } from '../core/observation.ts';
import { CONNECTION_RESULTS, LOG_RESULTS, LOG_SOURCES, type LogEvent } from '../core/polling/log-event.ts';
import type { PollingReport } from '../core/polling/report.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { UNNAMED } from '../core/polling/state.ts';
import {
  certificateEnd,
  type ProbeSample,
  type ProbeTarget,
  type RoundObservations,
  samplesOf,
} from '../core/round.ts';
import { compareSeverity, type Severity } from '../core/severity.ts';
import type { DeliveryResult, Incident } from '../engine/incident/incident.ts';
import type { Diagnosis, Finding } from '../engine/model.ts';
import { CHANNEL_IDS } from '../config/schema/channels.ts';
import type { Metrics } from './definitions.ts';

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
    const targets = expected.probes.map(({ target }) => target);
    this.#subjects = new Set([...CHECKS.map(({ id }) => id), ...targets, ...namesIn(expected.config)]);
    this.#expected = expected;
  }

  /** Called after every round, even if its results cannot be used. */
  ended({ durationMs, stalledMs }: Pick<RoundObservations, 'durationMs' | 'stalledMs'>): void {
    this.#metrics.roundDuration.set(durationMs / 1000);
    this.loopLag(stalledMs);
  }

  /** Must not be called if this process was stalled during the round. */
  measured(
    observations: RoundObservations,
    targets: readonly Pick<TargetFacts, 'path' | 'tls'>[],
    config: Config,
  ): void {
    this.#probes.record(samplesOf(observations));
    recordRound(this.#metrics, observations, config);
    for (const { path, tls } of targets) this.#metrics.tlsVerdict.set(path.subject, tls.worst?.verdict ?? null);
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

  /** Must be called each time a round is evaluated, because other networks answer later than the round. */
  outside(licenseServer: Pick<TargetFacts, 'surroundings' | 'tls'> | undefined): void {
    recordOutside(this.#metrics, licenseServer);
  }

  /** Appliances are queried independently of rounds. */
  units(picture: Picture): void {
    recordPicture(this.#metrics, picture);
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

  #states({ preconditions }: Diagnosis): void {
    for (const { id, state } of preconditions) this.#metrics.preconditionState.set(id, state);
  }

  #causes(incidents: readonly TellableIncident[]): void {
    const open = incidents.filter(({ status }) => status === 'open');
    const active = new Map(open.map(({ cause: { id, severity } }) => [`${id} ${severity}`, { cause: id, severity }]));
    for (const [key, labels] of this.#activeCauses) if (!active.has(key)) this.#metrics.causeActive.set(labels, 0);
    for (const labels of active.values()) this.#metrics.causeActive.set(labels, 1);
    this.#activeCauses = active;
  }
}

/**
 * Only the series for these failures are created in advance, because each reason adds one series per target. Series for
 * other reasons are created when a failure with that reason occurs.
 */
const USUAL: Readonly<Record<string, readonly FailureReason[]>> = {
  dns: ['timeout', 'refused', 'rejected'],
  tcp: ['timeout', 'refused'],
  tls: ['reset'],
  http: ['closed'],
  mail: ['timeout', 'refused', 'tls', 'rejected'],
  ntp: ['timeout', 'refused'],
};

/**
 * Counters are created with the value zero before the first probe, and removed when their target is no longer
 * configured.
 */
class ProbeSeries {
  readonly #metrics: Metrics;
  readonly #made = new Map<string, ProbeTarget>();
  readonly #failures = new Set<string>();
  /** Failures that have not been counted yet, because their new series must first be scraped with the value zero. */
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

  /** A target's probe counts as successful only if it succeeded at all of the target's addresses. */
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
   * Must be called before a scrape reads the metrics. Returns a function that must be called after the scrape. That
   * function adds delayed failures to the series that were scraped with the value zero.
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
    for (const reason of USUAL[probe] ?? ['timeout']) this.#makeFailures({ ...labels, reason });
  }

  #makeFailures(labels: FailureLabels): void {
    this.#failures.add(failureKey(labels));
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

interface Expected {
  readonly config: Config;
  readonly signatures: SignatureSet;
  readonly probes: readonly ProbeTarget[];
  /** The targets whose certificate chains are evaluated. */
  readonly judged: readonly string[];
}

/**
 * Alerts cannot detect an increase if a series appears only with the first error. Gauges for measurements are created
 * with the first measurement.
 */
function createZeroSeries(metrics: Metrics, expected: Expected): void {
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
function forgetMeasurements(metrics: Metrics): void {
  for (const gauge of [
    metrics.certificateNotAfter,
    metrics.dnsAnswerTtl,
    metrics.dnsAnswersExpected,
    metrics.probeSuccess,
    metrics.tlsVerdict,
    metrics.pollingLastError,
    metrics.logLastReceived,
    metrics.licenseAssigned,
  ])
    gauge.reset();
  recordPicture(metrics, { appliances: [], peers: [] });
}

/**
 * Also removes the series of values that are no longer reported, because an outdated value would hide the fact that the
 * current value is unknown. Only the expiry date of a certificate is kept until another certificate is received.
 */
function recordRound(metrics: Metrics, { path }: RoundObservations, { licenseServer }: Config): void {
  for (const observed of [path.licenseServer, ...path.services]) {
    const end = certificateEnd(observed);
    setIfKnown(metrics.certificateNotAfter, { target: observed.subject }, end === null ? null : end / 1000);
  }
  metrics.dnsAnswerTtl.reset();
  metrics.dnsAnswersExpected.reset();
  for (const observation of path.licenseServer.names)
    recordAnswers(metrics, observation, licenseServer.expectedAddresses);
}

function recordAnswers(metrics: Metrics, { resolver, a, aaaa }: DnsObservation, expected: readonly string[]): void {
  const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
  const addresses = answers.flatMap((answer) => answer.addresses);
  const sameName = [...addresses, ...singleAddresses(expected)];
  const isExpected =
    expected.length === 0 ||
    addresses.every((address) =>
      [address, translatedFrom(address, sameName) ?? address].some((each) => addressInAny(each, expected)),
    );
  const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
  setIfKnown(metrics.dnsAnswerTtl, { resolver }, least(ttls));
  setIfKnown(metrics.dnsAnswersExpected, { resolver }, addresses.length === 0 ? null : Number(isExpected));
}

/** A certificate is counted as the same if any address presents it to this site. */
function recordOutside(
  { outsideNetworks, outsideMeasured }: Metrics,
  own: Pick<TargetFacts, 'surroundings' | 'tls'> | undefined,
): void {
  outsideNetworks.reset();
  outsideMeasured.reset();
  const view = own?.surroundings.outside;
  if (own === undefined || view === undefined) return;
  for (const kind of OUTSIDE_KINDS) {
    const at = view[kind]?.at;
    if (at !== undefined) outsideMeasured.set({ measurement: kind }, at / 1000);
  }
  const { reach, certificate } = view;
  const count = (result: string, probes: readonly OutsideProbe[]): void =>
    outsideNetworks.set({ result }, networksOf(probes));
  if (reach !== null) {
    count(
      'reached',
      reach.results.filter((probe) => probe.reached),
    );
    count(
      'not-reached',
      reach.results.filter((probe) => !probe.reached),
    );
  }
  if (certificate !== null) {
    const here = new Set(own.tls.endpoints.map(({ outcome }) => outcome.chain?.certificates[0]?.fingerprint));
    count(
      'same-certificate',
      certificate.results.filter(({ fingerprint }) => here.has(fingerprint)),
    );
    count(
      'other-certificate',
      certificate.results.filter(({ fingerprint }) => !here.has(fingerprint)),
    );
  }
}

function recordPicture(metrics: Metrics, { appliances, peers }: Pick<Picture, 'appliances' | 'peers'>): void {
  for (const gauge of [metrics.tokens, metrics.tokensLocked, metrics.tokensLicensed, metrics.peerReadable])
    gauge.reset();
  for (const unit of appliances) recordUnit(metrics, unit);
  for (const { peer, kind } of peers) metrics.peerReadable.set({ peer }, kind === 'seen' ? 1 : 0);
}

function recordUnit(metrics: Metrics, { config: { name: appliance }, rest }: UnitObservation): void {
  if (rest?.kind !== 'ok') return;
  const tokens = valueOf(rest.tokens);
  for (const status of TOKEN_STATUSES) {
    setIfKnown(metrics.tokens, { appliance, status }, tokens?.byStatus[status] ?? null);
    setIfKnown(metrics.tokensLocked, { appliance, status }, tokens?.locked[status] ?? null);
  }
  setIfKnown(metrics.tokensLicensed, { appliance }, valueOf(rest.licensed)?.total ?? null);
}

function setIfKnown<Label extends string>(
  gauge: Gauge<Label>,
  labels: Partial<Record<Label, string>>,
  value: number | null,
): void {
  if (value !== null) gauge.set(labels, value);
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function forgetAppliances({ pollingErrors }: Metrics, before: Expected, { config }: Expected): void {
  const named = new Set(config.appliances.map(({ name }) => name));
  for (const { name: appliance } of before.config.appliances)
    if (!named.has(appliance))
      for (const { id: signature } of before.signatures.signatures) pollingErrors.remove({ appliance, signature });
}

/** One series for each cause and possible severity: the default severity and those of the configured services. */
function zeroCauses(metrics: Metrics, { services }: Pick<Config, 'services'>): void {
  metrics.causeActive.reset();
  const others = new Set(services.map(({ severity }) => severity));
  for (const cause of CAUSE_IDS) {
    const { severity, variants = [] } = wordsOf(cause);
    const own = [severity, ...variants.flatMap((variant) => variant.severity ?? [])];
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

type TellableIncident = Pick<Incident, 'status' | 'cause' | 'openedAt'>;

const MOST = 50;

/**
 * The labels of the most severe open incidents. Subjects that are not in `named`, such as a licence that an API
 * reported, become `other`, because label values never contain text from the network.
 */
function openIncidents(incidents: readonly TellableIncident[], named: ReadonlySet<string>) {
  const open = incidents
    .filter(({ status }) => status === 'open')
    .toSorted((a, b) => compareSeverity(a.cause.severity, b.cause.severity) || a.openedAt - b.openedAt)
    .map(({ cause: { id, severity, subject } }) => ({
      cause: id,
      severity,
      // The subjects of ftm-watch's own causes contain only the names of its parts and of this machine.
      subject: named.has(subject) || isAgentCause(id) ? subject : 'other',
    }));
  return [...new Map(open.map((each) => [JSON.stringify(each), each])).values()].slice(0, MOST);
}

/**
 * A licence without a finding is correctly assigned. Licences that could not be checked are omitted, as are licences
 * that only an appliance reported, because label values never contain text from the network.
 */
function licenseAssignments({ preconditions }: Diagnosis, { appliances, registration }: Config) {
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

/** A finding that identifies only an appliance applies to all of the appliance's licences. */
function concerns({ facts }: Finding, license: string): boolean {
  return (facts?.license ?? license).toUpperCase() === license.toUpperCase();
}
