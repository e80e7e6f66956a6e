import { LOG_CHECKS } from '../checks/assess-log.ts';
import { isFaultId, preconditionOf } from '../checks/registry.ts';
import { listens } from '../core/polling/listens.ts';
import type { Logger } from 'pino';

import type { Config } from '../config/config.ts';
import { readSecret, type SecretReader } from '../system/secret.ts';
import type { Assessment } from '../engine/assessment.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { asksForPolicy } from '../checks/firewall-policy/refine-shut-port.ts';
import type { Diagnosis } from '../engine/diagnosis.ts';
import { complainedOfPathAt } from '../checks/polling/explained.ts';
import { complainsOfConnections } from '../checks/tls-genuine/complaint.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { loadSignatures } from '../sources/log/signatures.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Alerting } from '../notify/alerting.ts';
import { createAlerting } from '../notify/create-alerting.ts';
import { createHeartbeat, type Heartbeat } from '../notify/heartbeat.ts';
import type { RoundResult } from '../report/round-result.ts';
import { ROUND_SOURCES, roundLimit } from './round/observe-round.ts';
import { createProbeKit, type ProbeKit } from './round/probe-kit.ts';
import { judgedTargets } from './round/judged-targets.ts';
import { invalidWhenStalled } from '../checks/invalid-round.ts';
import { isInvalid } from '../core/invalid-round.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { measureLoopLag } from '../schedule/loop-lag.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { createSpreadTimer } from '../schedule/spread.ts';
import { jsonFile } from '../system/json-file.ts';
import { lockStore, type StoreLock } from '../store/store-lock.ts';
import { createStore, type Store } from '../store/store.ts';
import { codeLifeOf, mailServersOf } from '../sources/mail/mail-servers.ts';
import { deservesAnotherLook } from './another-look.ts';
import { conclude, NOTHING_REMEMBERED } from './conclude.ts';
import { lastExplainingFaults } from './explaining-fault.ts';
import { log, type LogListening } from '../sources/log/source.ts';
import { createProbesOnDemand, type ProbesOnDemand } from './probe-on-demand.ts';
import { createLivenessTracker, type LivenessTracker } from './liveness-tracker.ts';
import { createHourlyValueCollector } from './hourly-value-collector.ts';
import { roundRecord } from './round-record.ts';
import { pendingTokens, registrationBudget, stateFile } from './state-files.ts';
import { summaryFactsOf } from './summary-facts-of.ts';
import { UnitMonitor } from './unit-monitor.ts';
import { warnAtStart } from './warn-at-start.ts';

export interface MonitorDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly recorder: Recorder;
  readonly onRound: (round: RoundResult) => void;
  /** Of the page's own certificate; null: it has none. */
  readonly certificateEnd: () => EpochMs | null;
}

/** What is read from files before anything starts. */
interface MonitorFiles {
  readonly kit: ProbeKit;
  readonly signatures: SignatureSet;
  /** Of the log listener for TLS; null: there is none. */
  readonly certificate: ServedCertificate | null;
}

/**
 * A log line may ask for a round this often: an error is explained within seconds, a flood of them costs no more.
 * @internal
 */
export const TRIGGER_GAP = 3_000;

/**
 * Everything that watches under one configuration: rounds on schedule and on demand, log intake, connectors, incidents
 * and history. A reload makes a new one.
 */
export class Monitor {
  readonly config: Config;
  readonly store: Store;
  readonly alerting: Alerting;
  readonly probes: ProbesOnDemand;
  readonly #deps: MonitorDeps;
  readonly #files: MonitorFiles;
  readonly #log: LogListening;
  readonly #units: UnitMonitor;
  readonly #rounds: Runner;
  readonly #hourlyValues = createHourlyValueCollector();
  readonly #stopLoopLag: () => void;
  readonly #pulse: LivenessTracker;
  readonly #heartbeat: Heartbeat | null;
  #stopping = false;
  #lock: StoreLock | null = null;
  #last: RoundResult | null = null;
  #remembered = NOTHING_REMEMBERED;

  /** @throws {Error} when a file that the configuration names cannot be used */
  static async create(config: Config, deps: MonitorDeps): Promise<Monitor> {
    const signatures = await loadSignatures(config.logs.signatureFiles, isFaultId);
    const genuineFile = jsonFile(stateFile(config, 'genuine.json'));
    const shareFile = jsonFile(stateFile(config, 'share.json'));
    const kit = await createProbeKit(config, { ...deps, genuineFile, shareFile });
    const { tls } = config.logs.syslog;
    const certificate = tls === null ? null : await ServedCertificate.read(tls, 'the syslog listener');
    return new Monitor(config, { kit, signatures, certificate }, deps);
  }

  /** Another one of the same configuration, with its files as they were read for this one: they may be gone by now. */
  again(): Monitor {
    return new Monitor(this.config, this.#files, this.#deps);
  }

  private constructor(config: Config, files: MonitorFiles, deps: MonitorDeps) {
    const { clock, env, logger, recorder } = deps;
    const { signatures, certificate } = files;
    const secrets: SecretReader = (source) => readSecret(source, env);
    this.config = config;
    this.#deps = deps;
    this.#stopLoopLag = measureLoopLag(clock, (lag) => recorder.loopLag(lag));
    this.#files = files;
    this.store = createStore(config.store, deps);
    this.alerting = createAlerting(config, {
      clock,
      logger,
      journal: this.store.journal,
      summaryFacts: (from, until) =>
        summaryFactsOf({ store: this.store, last: this.#last }, deps.certificateEnd(), { from, until }),
      readSecret: secrets,
      onDelivery: (channel, result, at) => recorder.delivery(channel, result, at),
    });
    this.#log = log.listen(config, {
      clock,
      logger,
      signatures,
      certificate,
      pollingFile: jsonFile(stateFile(config, 'polling.json'), { flush: true }),
      formerPositions: stateFile(config, 'log-positions.json'),
      onEvent: (event) => this.#onLogEvent(event),
    });
    this.#units = new UnitMonitor(config, {
      ...this.#runnerDeps(),
      env,
      budget: registrationBudget(config),
      pendingTokens: pendingTokens(config),
    });
    this.#rounds = new Runner({
      ...this.#runnerDeps(),
      timer: (listener) => createSpreadTimer(probesSchedule(config), clock, listener),
      run: (signal) => this.#round(signal),
      triggerGap: TRIGGER_GAP,
    });
    this.probes = createProbesOnDemand(config, files.kit.looks, clock);
    this.#pulse = createLivenessTracker(clock, () => this.#rounds.nextRun(), roundLimit(config));
    const isAlive = (): boolean => this.#pulse.isAlive() && this.alerting.isWorking();
    this.#heartbeat =
      config.notify.heartbeat === null
        ? null
        : createHeartbeat(config.notify.heartbeat, { clock, logger, isAlive, readSecret: secrets });
  }

  /**
   * Takes the store and listens to the log, the two that can fail. `pause` and `close` undo what was done.
   * @throws {Error} when another process uses the store, or a port for log lines cannot be bound
   */
  async open(): Promise<void> {
    this.#lock = lockStore(this.config.store.path, this.#deps.logger);
    await this.#log.start();
  }

  /** Begins to watch with what the store holds now, after `open`. */
  begin(): void {
    const { recorder, logger } = this.#deps;
    // Port 0 asks for any: senders must learn which it became.
    if (listens(this.config)) logger.info(this.#log.addresses(), 'Listening for log lines');
    warnAtStart(this.config, this.#files.kit, logger);
    recorder.expect({
      config: this.config,
      signatures: this.#files.signatures,
      probes: ROUND_SOURCES.flatMap((source) => source.targets(this.config)),
      judged: judgedTargets(this.config),
    });
    recorder.heard(this.#log.facts().report);
    this.alerting.start(this.store.lastRound());
    this.#remembered = { ...NOTHING_REMEMBERED, faultsSeen: lastExplainingFaults(this.alerting.incidents()) };
    this.#heartbeat?.start();
    recorder.incidents(this.alerting.incidents());
    this.#units.start();
    this.#rounds.start();
  }

  /**
   * Ends the rounds, delivers what is on its way for a moment, and takes log lines until the last: they are not sent
   * again. What somebody changes is kept until `close`.
   */
  async pause(signal: AbortSignal): Promise<void> {
    this.#heartbeat?.stop();
    this.probes.stop();
    await Promise.all([this.#rounds.stop(), this.#units.stop()]);
    await this.alerting.stop(signal);
    await this.#log.stop();
  }

  /** Leaves the store to another monitor of this process. */
  unlock(): void {
    this.#lock?.release();
    this.#lock = null;
  }

  /** After `pause`. */
  close(): void {
    this.#stopping = true;
    this.#stopLoopLag();
    this.store.close();
    this.unlock();
  }

  last(): RoundResult | null {
    return this.#last;
  }

  nextRound(): EpochMs | null {
    return this.#stopping ? null : this.#rounds.nextRun();
  }

  /** What the log intake counted; null: no log is listened to. */
  logCounters(): ReturnType<LogListening['counters']> | null {
    return listens(this.config) ? this.#log.counters() : null;
  }

  /** What chains of a target are judged by. */
  knowledgeOf(target: string): ReturnType<ProbeKit['knowledgeOf']> {
    return this.#files.kit.knowledgeOf(target);
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { appliances } = this.#units.picture();
    const { report } = this.#log.facts();
    const observations = await this.#files.kit.observe(signal, {
      mailServers: Promise.resolve(mailServersOf(this.config, appliances)),
      codeLife: Promise.resolve(codeLifeOf(appliances)),
      onProgress: () => undefined,
      isComplained: complainsOfConnections(report),
      complainedAt: complainedOfPathAt(report, preconditionOf),
    });
    if (signal.aborted) return;
    const judged = await this.#files.kit.assess(observations);
    if (signal.aborted) return;
    const probed = invalidWhenStalled(judged.assessments, observations);
    // Once more after the end of the fault: a policy that was corrected must not go on being told.
    if ([probed, this.#last?.judged.assessments ?? []].some(asksForPolicy))
      await this.#units.askNow('firewall', signal);
    if (signal.aborted) return;
    const diagnosis = this.#diagnose(probed, observations.startedAt);
    const before = this.#last;
    this.#last = { observations, judged, diagnosis };
    this.#pulse.beat();
    const updated = [...judged.assessments.map(({ id }) => id), ...LOG_CHECKS, ...this.#units.drainUpdated()];
    this.#publish(this.#last, updated);
    if (this.#files.kit.needsCloserLook() || deservesAnotherLook(before, this.#last)) this.#rounds.trigger();
  }

  #diagnose(probed: readonly Assessment[], at: EpochMs): Diagnosis {
    const round = { config: this.config, at, probed, picture: this.#units.picture() };
    const log = { ...this.#log.facts(), ...this.#remembered };
    const { diagnosis, ...remembered } = conclude(round, { kind: 'heard', ...log });
    this.#remembered = remembered;
    return diagnosis;
  }

  /** The verdict first; what may be slow or full comes after it. */
  #publish(round: RoundResult, fresh: readonly string[]): void {
    const { recorder, onRound } = this.#deps;
    recorder.ended(round.observations);
    if (!isInvalid(round.observations)) recorder.measured(round.observations, round.judged, this.config);
    recorder.diagnosed(round.diagnosis, this.config);
    recorder.units(this.#units.picture(), this.config);
    this.alerting.accept(round.diagnosis, fresh);
    recorder.incidents(this.alerting.incidents());
    onRound(round);
    this.store.recordRound(roundRecord(round, this.#hourlyValues.take(this.#units.picture())));
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
      onError: (error) => logger.error({ err: error }, 'A scheduled run failed: a bug, please report it'),
      onLag: (lag) => recorder.lag(lag),
      onMissed: () => recorder.missed(),
    };
  }
}

function probesSchedule({ schedule: { probes, timezone }, site }: Config): Parameters<typeof createSpreadTimer>[0] {
  return { expression: probes, timezone, seed: site };
}
