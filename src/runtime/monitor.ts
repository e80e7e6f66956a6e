import type { Logger } from 'pino';
import { checksOf } from '../checks/registry.ts';
import { listens, UNNAMED } from '../core/polling/state.ts';
import type { Config } from '../config/config.ts';
import { readSecret, type SecretReader } from '../system/secret.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { AgentHealth } from '../core/agent.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import type { Registry } from 'prom-client';
import type { Recorder } from '../metrics/recorder.ts';
import type { MetricsText } from '../metrics/probe-metrics.ts';
import type { Scrape } from '../metrics/scrape.ts';
import { type Alerting, createAlerting } from '../notify/alerting.ts';
import { createHeartbeat, type Heartbeat } from '../notify/heartbeat.ts';
import { createMaintenance, type Maintenance } from '../notify/maintenance.ts';
import type { RoundResult } from '../checks/round-result.ts';
import { probeTargets, roundLimit } from '../round/round.ts';
import { needsAnotherRound } from '../round/facts.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import { type TlsKnowledgeBase, judgedTargets } from '../round/tls-knowledge.ts';
import { certificateEnd, isInvalid, type PeerObservation, samplesOf } from '../core/round.ts';
import { measureLoopLag } from '../system/stall-monitor.ts';
import { Runner, type RunnerOptions } from '../system/runner.ts';
import { unlessAborted } from '../network/context.ts';
import { oneATurn } from '../system/clock.ts';
import { createSpreadTimer, periodOf } from '../system/cron-timer.ts';
import { type BackgroundWriter, jsonFile } from '../system/json-file.ts';
import { lockStore, type StoreLock } from '../store/store-lock.ts';
import { createStore, type HourlyValue, type RoundRecord, type Store } from '../store/store.ts';
import { createLogListening, type LogListening } from '../logs/intake.ts';
import { OUTSIDE_FILE, OutsideWitness } from './outside-witness.ts';
import { type JudgedOnce, RoundJudge } from './round-judge.ts';
import { createProbesOnDemand, type ProbesOnDemand } from './probe-on-demand.ts';
import { channelHealth, storeHealth } from './own-health.ts';
import type { Instruments } from '../round/instruments.ts';
import type { MonitorFiles } from './start-check.ts';
import { registrationFile, stateFile } from './store-places.ts';
import { createPendingMemory } from '../connectors/token-counts.ts';
import { checkIntervals, ConnectedSystems, renewedCauses } from './connected-systems.ts';
import { certificatePem } from '../tls/pem.ts';
import { knownFor, readinessAt, withAvailability } from '../engine/availability.ts';
import { isCorroborated } from '../engine/diagnose.ts';
import type { Diagnosis, Readiness } from '../engine/model.ts';
import type { SummaryFacts } from '../notify/notes.ts';
import { describeRefused } from '../checks/tls-genuine/chain-case.ts';
import { noChannelNote } from '../config/schema/channels.ts';
import { messageOf } from '../text/message-of.ts';
import { exposureNotes } from '../web/access.ts';

interface LivenessTracker {
  /** Must be called at the end of each round. */
  beat(): void;
  isAlive(): boolean;
}

/** The first round does not wait for a scheduled time. */
const FIRST_ROUND: Millis = 60_000;
/** Allows for one skipped round and one late round. */
const SPARE_ROUNDS = 2;

/**
 * The daemon counts as alive until the next planned round and the two after it are overdue. Tolerates schedules with
 * long pauses, such as schedules for office hours. Uses the monotonic clock, so that changes to the wall clock have no
 * effect.
 * @param nextRun returns the first planned round after a time; by default, after the current time
 * @param longest maximum duration of a round
 */
export function createLivenessTracker(clock: Clock, nextRun: Runner['nextRun'], longest: Millis): LivenessTracker {
  let aliveUntil: Millis = clock.elapsed() + FIRST_ROUND;
  return {
    beat: () => {
      let last = nextRun();
      for (let spare = 0; last !== null && spare < SPARE_ROUNDS; spare += 1) last = nextRun(last);
      aliveUntil =
        last === null ? Number.POSITIVE_INFINITY : clock.elapsed() + Math.max(0, last - clock.now()) + longest;
    },
    isAlive: () => clock.elapsed() < aliveUntil,
  };
}

const DAY: Millis = 86_400_000;
const ENDS_SOON: Millis = 30 * DAY;
const MOST_ENDED = 1_000;
const MOST_APPLIANCES = 50;

interface SummarySources {
  readonly store: Pick<Store, 'stateSpans' | 'ended' | 'hourlyValues'>;
  readonly last: Pick<RoundResult, 'targets'> | null;
}

export function summaryFactsOf(
  { store, last }: SummarySources,
  ownCertificateEnd: EpochMs | null,
  { from, until }: { readonly from: EpochMs; readonly until: EpochMs },
): SummaryFacts {
  const spans = store.stateSpans({ since: from, until });
  const [availability = { ready: 0, notReady: 0, unknown: until - from }] = withAvailability([{ from, until }], spans);
  const tokens = store.hourlyValues('tokens-left', { since: until - DAY, until }, MOST_APPLIANCES);
  const own = ownCertificateEnd === null ? [] : [{ what: "the status page's certificate", at: ownCertificateEnd }];
  return {
    availability,
    ended: store.ended({ since: from, until }, MOST_ENDED)?.incidents ?? [],
    tokensLeft: [...new Map(tokens.map(({ subject, value }) => [subject, value]))].map(([appliance, count]) => ({
      appliance,
      count,
    })),
    ends: [...certificateEnds(last), ...own].filter(({ at }) => at - until < ENDS_SOON).toSorted((a, b) => a.at - b.at),
  };
}

function certificateEnds(last: SummarySources['last']): SummaryFacts['ends'] {
  return (last?.targets ?? []).flatMap(({ path }) => {
    const at = certificateEnd(path);
    return at === null ? [] : [{ what: `the certificate of ${path.subject}`, at }];
  });
}

export interface MonitorDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly recorder: Recorder;
  readonly registry: Registry;
  readonly scrape: Scrape;
  /** The counters started at zero at this time. */
  readonly startedAt: EpochMs;
  readonly onRound: (round: RoundResult) => void;
  /** Expiry date of the status page's certificate. */
  readonly certificateEnd: () => EpochMs | null;
  readonly rejectedReload: () => AgentHealth['rejectedReload'];
  readonly hostname: string;
  readonly version: string;
  /** Writes the state files. */
  readonly writer: BackgroundWriter;
}

/** Environment variables that specify the collector if `metrics.otlp` is not configured. */
const COLLECTOR_VARIABLES = ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/**
 * Short enough to explain an error within seconds, and long enough to limit the number of rounds during a flood of
 * errors.
 */
const TRIGGER_GAP = 3_000;

/** Recipients that none of these deliveries was for are not judged. */
const DELIVERIES_OF_OWN_HEALTH = 100;

/** Observes, judges and alerts under one configuration. */
export class Monitor {
  readonly config: Config;
  readonly store: Store;
  readonly alerting: Alerting;
  readonly maintenance: Maintenance;
  readonly probes: ProbesOnDemand;
  /** For how long a diagnosis counts. */
  readonly knownFor: Millis;
  readonly #deps: MonitorDeps;
  readonly #lock: StoreLock;
  readonly #instruments: Instruments;
  readonly #files: MonitorFiles;
  readonly #log: LogListening;
  readonly #systems: ConnectedSystems;
  readonly #outside: OutsideWitness | null;
  readonly #judge: RoundJudge;
  readonly #rounds: Runner;
  readonly #hourlyValues = createHourlyValueCollector();
  readonly #stopLoopLag: () => void;
  readonly #pulse: LivenessTracker;
  readonly #heartbeat: Heartbeat | null;
  readonly #pushing = new AbortController();
  #isClosed = false;
  #last: RoundResult | null = null;

  /** @throws {Error} when another process uses the store */
  constructor(instruments: Instruments, files: MonitorFiles, deps: MonitorDeps) {
    const { config } = instruments;
    const { version, clock, env, logger, recorder } = deps;
    const { schedule, site } = config;
    const secrets: SecretReader = (source) => readSecret(source, env);
    const egress = { env, proxy: config.notify.proxy, readSecret: secrets };
    this.config = config;
    this.knownFor = knownFor(periodOf(schedule.probes), roundLimit(config));
    this.#deps = deps;
    this.#lock = lockStore(config.store.path, logger);
    this.#stopLoopLag = measureLoopLag(clock, (lag) => recorder.loopLag(lag));
    this.#instruments = instruments;
    this.#files = files;
    this.store = createStore(config.store, deps);
    this.alerting = createAlerting(config, {
      version,
      clock,
      logger,
      journal: this.store.journal,
      summaryFacts: (from, until) =>
        summaryFactsOf({ store: this.store, last: this.#last }, deps.certificateEnd(), { from, until }),
      readSecret: secrets,
      env,
      intervals: checkIntervals(config),
      onDelivery: (channel, result, at) => recorder.delivery(channel, result, at),
    });
    this.#log = createLogListening(config, {
      clock,
      logger,
      signatures: files.signatures,
      certificate: files.certificate,
      pollingFile: jsonFile(stateFile(config, 'polling.json'), { flush: true }),
      formerPositions: stateFile(config, 'log-positions.json'),
      onEvent: (event) => this.#onLogEvent(event),
    });
    this.#systems = new ConnectedSystems(config, {
      ...this.#runnerDeps(),
      env,
      registrationFile: registrationFile(config),
      pendingTokens: createPendingMemory(deps.writer.of(jsonFile(stateFile(config, 'pending-tokens.json')))),
      firmwareFacts: files.firmwareFacts,
    });
    this.#outside =
      config.outside === null
        ? null
        : new OutsideWitness(config.outside.globalping, config.licenseServer, {
            ...egress,
            clock,
            ownTurn: oneATurn(),
            file: jsonFile(stateFile(config, OUTSIDE_FILE)),
          });
    this.#judge = new RoundJudge({
      instruments,
      systems: this.#systems,
      outside: this.#outside,
      log: this.#log,
      health: () => this.health(),
    });
    this.#rounds = new Runner({
      ...this.#runnerDeps(),
      timer: (listener) =>
        createSpreadTimer({ expression: schedule.probes, timezone: schedule.timezone, seed: site }, clock, listener),
      run: (signal) => this.#round(signal),
      triggerGap: TRIGGER_GAP,
    });
    this.maintenance = createMaintenance(config.notify.maintenance);
    this.probes = createProbesOnDemand(instruments);
    this.#pulse = createLivenessTracker(clock, (after) => this.#rounds.nextRun(after), roundLimit(config));
    const isAlive = (): boolean => this.#pulse.isAlive() && this.alerting.isWorking();
    this.#heartbeat =
      config.notify.heartbeat === null
        ? null
        : createHeartbeat(config.notify.heartbeat, { ...egress, clock, logger, isAlive });
  }

  /** @throws {Error} when a port for log lines cannot be bound */
  async open(): Promise<void> {
    const { logger } = this.#deps;
    await this.#log.start();
    // The actual addresses are logged, because port 0 selects any free port and senders must be configured with the
    // actual port.
    if (listens(this.config))
      logger.info({ event: 'log-listening', ...this.#log.addresses() }, 'Listening for log lines');
  }

  /** Must be called after `open`. */
  begin(): void {
    const { recorder, logger } = this.#deps;
    warnAtStart(this.config, this.#instruments.knowledge, logger);
    recorder.expect({
      config: this.config,
      signatures: this.#files.signatures,
      probes: probeTargets(this.config),
      judged: judgedTargets(this.config),
    });
    recorder.heard(this.#log.facts().report);
    this.alerting.start(this.store.lastRound(this.#deps.clock.now()));
    this.#judge.remember(this.alerting.incidents());
    this.#heartbeat?.start();
    this.#pushMetrics().catch((error: unknown) =>
      logger.warn(
        { event: 'metrics-push-not-loaded', error: messageOf(error) },
        'Cannot load the module that pushes metrics over OTLP. Restart ftm-watch',
      ),
    );
    recorder.incidents(this.alerting.incidents());
    this.#systems.start();
    this.#rounds.start();
  }

  /**
   * Log lines are accepted until the very end, because senders do not send them again. Users' changes are stored until
   * `close`.
   * @param signal aborts deliveries in progress
   */
  async stop(signal: AbortSignal): Promise<void> {
    this.#heartbeat?.stop();
    this.#pushing.abort(new Error('The metrics are no longer pushed'));
    this.probes.stop();
    await Promise.all([this.#rounds.stop(), this.#systems.stop()]);
    await this.alerting.stop(signal);
    // The next monitor reads the same files. The wait is aborted if the disk does not respond.
    await unlessAborted(this.#deps.writer.written(), signal).catch(() => undefined);
    await this.#log.stop();
  }

  /** Must be called after `stop`. */
  close(): void {
    this.#isClosed = true;
    this.#stopLoopLag();
    this.store.close();
    this.#lock.release();
    this.#deps.scrape.takeCounts(this);
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  last(): RoundResult | null {
    return this.#last;
  }

  peers(): readonly PeerObservation[] {
    return this.#systems.picture().peers;
  }

  readiness(): Readiness {
    return readinessAt(this.#deps.clock.now(), this.#last?.diagnosis ?? null, this.knownFor);
  }

  nextRound(): EpochMs | null {
    return this.#isClosed ? null : this.#rounds.nextRun();
  }

  health(): AgentHealth {
    const { clock, hostname, certificateEnd, rejectedReload } = this.#deps;
    const { store, alerting, config } = this;
    const pageEnd = certificateEnd();
    const listenerEnd = this.#files.certificate?.end() ?? null;
    return {
      host: hostname,
      at: clock.now(),
      timezone: config.timezone,
      store: storeHealth(store),
      certificates: [
        ...(pageEnd === null ? [] : [{ owner: 'status page', end: pageEnd } as const]),
        ...(listenerEnd === null ? [] : [{ owner: 'syslog listener', end: listenerEnd } as const]),
      ],
      log: this.#log.health(),
      channels: channelHealth({
        deliveries: store.deliveryStates(DELIVERIES_OF_OWN_HEALTH),
        givenUp: store.journal.givenUp(),
        isRecipient: (to) => alerting.isRecipient(to),
        failingSince: alerting.failingSince(),
      }),
      rejectedReload: rejectedReload(),
      advice: exposureNotes(config.web),
    };
  }

  async metrics(): Promise<MetricsText> {
    const scraped = this.#scraping();
    const text = await this.#deps.scrape.read(this);
    scraped();
    return text;
  }

  /** Must be called before the metrics are read. Returns a function that must be called afterwards. */
  #scraping(): () => void {
    const { recorder, certificateEnd } = this.#deps;
    recorder.ownCertificate(certificateEnd());
    return recorder.scraping();
  }

  logCounters(): ReturnType<LogListening['counters']> | null {
    return listens(this.config) ? this.#log.counters() : null;
  }

  knowledgeOf(target: string): TlsKnowledge {
    return this.#instruments.knowledge.of(target);
  }

  async #round(signal: AbortSignal): Promise<void> {
    const seen = await this.#judge.run(signal);
    if (seen === null) return;
    const { round } = seen;
    const before = this.#last;
    this.#last = round;
    this.#pulse.beat();
    this.#publish(round);
    if (needsAnotherRound(this.#instruments) || deservesAnotherRound(before, round)) this.#rounds.trigger();
    for (const answer of seen.late)
      void answer.then(() => signal.aborted || this.#revise(seen)).catch(this.#runnerDeps().onError);
  }

  /** The verdict is published first, because later steps may be slow or fail if the disk is full. */
  #publish(round: RoundResult): void {
    const { observations, targets, diagnosis } = round;
    const { recorder } = this.#deps;
    recorder.ended(observations);
    if (!isInvalid(observations)) recorder.measured(observations, targets, this.config);
    const { preconditions, gone, systems } = this.#systems.drainRenewed();
    this.#showDiagnosis(round, () => {
      const fresh = [...checksOf('round', 'log', 'agent'), ...preconditions];
      this.alerting.accept(diagnosis, fresh, { gone, seen: renewedCauses(diagnosis, systems) });
    });
    this.store.recordRound(roundRecord(round, this.#hourlyValues.take(diagnosis), this.knownFor));
  }

  #revise({ round: before, judgeAgain }: JudgedOnce): void {
    // If a later round has ended, it has used the late result.
    if (this.#last?.observations !== before.observations) return;
    const round = judgeAgain();
    this.#last = round;
    this.#showDiagnosis(round, () => this.alerting.revise(round.diagnosis));
    this.store.recordRound({ ...roundRecord(round, [], this.knownFor), samples: [], certificates: [] });
  }

  #showDiagnosis(round: RoundResult, alert: () => void): void {
    const { recorder, onRound } = this.#deps;
    recorder.diagnosed(round.diagnosis, this.config);
    recorder.outside(round.targets[0]);
    recorder.units(this.#systems.picture());
    alert();
    recorder.incidents(this.alerting.incidents());
    onRound(round);
  }

  /** The code is loaded on demand to save memory and start-up time. */
  async #pushMetrics(): Promise<void> {
    const { clock, env, logger, registry, startedAt, recorder, scrape } = this.#deps;
    const { metrics, notify, site } = this.config;
    if (metrics.otlp === null && COLLECTOR_VARIABLES.every((name) => (env[name] ?? '') === '')) return;
    const { pushMetrics } = await import('../metrics/otlp.ts');
    pushMetrics(
      metrics.otlp,
      {
        clock,
        env,
        logger,
        site,
        metrics: {
          registry,
          startedAt,
          refresh: async () => {
            const scraped = this.#scraping();
            await scrape.update(this);
            return scraped;
          },
          failed: () => recorder.pushFailed(),
        },
        proxy: notify.proxy,
        readSecret: (source) => readSecret(source, env),
      },
      this.#pushing.signal,
    );
  }

  #onLogEvent(event: LogEvent): void {
    this.#hourlyValues.count(event);
    this.#deps.recorder.logEvent(event);
    if (event.kind !== 'heard') this.#rounds.trigger();
  }

  #runnerDeps(): Pick<RunnerOptions, 'clock' | 'onError' | 'onLag' | 'onMissed'> {
    const { clock, logger, recorder } = this.#deps;
    return {
      clock,
      onError: (error) =>
        logger.error({ event: 'run-failed', err: error }, 'A scheduled run failed because of a bug. Please report it'),
      onLag: (lag) => recorder.lag(lag),
      onMissed: () => recorder.missed(),
    };
  }
}

interface HourlyValueCollector {
  count(event: LogEvent): void;
  take(diagnosis: Diagnosis): readonly HourlyValue[];
}

function createHourlyValueCollector(): HourlyValueCollector {
  const errors = new Map<string, number>();
  return {
    count: (event) => {
      if (event.kind !== 'ftm') return;
      const subject = event.appliance ?? UNNAMED;
      errors.set(subject, (errors.get(subject) ?? 0) + event.count);
    },
    take: ({ quantities = [] }) => {
      const counted = [...errors].map(([subject, value]): HourlyValue => ({ name: 'ftm-errors', subject, value }));
      errors.clear();
      const tokens = quantities.filter(({ id }) => id === 'tokens-free');
      return [
        ...counted,
        ...tokens.map(({ subject, value }): HourlyValue => ({ name: 'tokens-left', subject, value })),
      ];
    },
  };
}

function roundRecord(
  { observations, targets, diagnosis: { preconditions } }: RoundResult,
  hourlyValues: readonly HourlyValue[],
  counts: Millis,
): RoundRecord {
  const at = observations.startedAt;
  if (isInvalid(observations))
    return { at, knownFor: counts, samples: [], preconditions, certificates: [], hourlyValues };
  return {
    at,
    knownFor: counts,
    samples: samplesOf(observations),
    preconditions,
    hourlyValues,
    certificates: targets.flatMap(({ path, tls: { endpoints } }) =>
      endpoints.flatMap(({ outcome }) => {
        const leaf = outcome.chain?.certificates[0];
        return leaf === undefined
          ? []
          : [{ target: path.subject, fingerprint: leaf.fingerprint, pem: certificatePem(leaf) }];
      }),
    ),
  };
}

/**
 * A new critical cause is checked again immediately, so that a lasting fault is reported within seconds and a temporary
 * fault is discarded. A cause that two sources confirm has already been reported. A round that was invalid because this
 * process stalled is repeated once.
 */
export function deservesAnotherRound(before: RoundResult | null, { observations, diagnosis }: RoundResult): boolean {
  if (isInvalid(observations)) return before === null || !isInvalid(before.observations);
  const known = new Set(before?.diagnosis.causes.map(({ id, subject }) => `${id} ${subject}`));
  return diagnosis.causes.some(
    (cause) =>
      cause.severity === 'critical' && !known.has(`${cause.id} ${cause.subject}`) && !isCorroborated(diagnosis, cause),
  );
}

function warnAtStart(config: Config, knowledge: TlsKnowledgeBase, logger: Logger): void {
  const note = noChannelNote(config.notify);
  if (note !== null) logger.warn({ event: 'no-channel' }, note);
  for (const warning of exposureNotes(config.web)) logger.warn({ event: 'configuration-warning' }, warning);
  for (const target of judgedTargets(config)) {
    const refused = knowledge.of(target).refusedBaseline;
    if (refused !== null)
      logger.warn(
        { event: 'certificate-not-confirmed', target, certificate: refused.unconfirmed.fingerprint },
        describeRefused(refused),
      );
  }
}
