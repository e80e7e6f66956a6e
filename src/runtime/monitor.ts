import { LOG_CHECKS } from '../checks/assess-log.ts';
import { listens } from '../core/polling/listens.ts';
import type { Logger } from 'pino';

import type { Config } from '../config/config.ts';
import { readSecret, type SecretReader } from '../system/secret.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { FirmwareFact } from '../core/license/firmware.ts';
import type { LogEvent } from '../core/polling/log-event.ts';
import { loadFirmwareFacts } from '../sources/appliances/firmware-facts.ts';
import type { Recorder } from '../metrics/recorder.ts';
import type { Alerting } from '../notify/alerting.ts';
import { createAlerting } from '../notify/create-alerting.ts';
import type { Attempt } from '../notify/outbox.ts';
import { createHeartbeat, type Heartbeat } from '../notify/heartbeat.ts';
import type { RoundResult } from '../report/round-result.ts';
import { ROUND_SOURCES, roundLimit } from './round/observe-round.ts';
import type { ProbeKit } from './round/probe-kit.ts';
import { judgedTargets } from './round/judged-targets.ts';
import { isInvalid } from '../core/invalid-round.ts';
import { measureLoopLag } from '../schedule/loop-lag.ts';
import { Runner, type RunnerOptions } from '../schedule/runner.ts';
import { unlessAborted } from '../network/unless-aborted.ts';
import { createSpreadTimer } from '../schedule/spread.ts';
import { type BackgroundFile, type BackgroundWriter, createBackgroundWriter, jsonFile } from '../system/json-file.ts';
import { lockStore, type StoreLock } from '../store/store-lock.ts';
import { createStore, type Store } from '../store/store.ts';
import { deservesAnotherLook } from './another-look.ts';
import { log, type LogListening } from '../sources/log/source.ts';
import { type JudgedOnce, RoundJudge } from './round-judge.ts';
import { createProbesOnDemand, type ProbesOnDemand } from './probe-on-demand.ts';
import { createLivenessTracker, type LivenessTracker } from './liveness-tracker.ts';
import { createHourlyValueCollector } from './hourly-value-collector.ts';
import { roundRecord } from './round-record.ts';
import { loadMonitorFiles, type MonitorFiles } from './monitor-files.ts';
import { registrationBudget, stateFile } from './state-files.ts';
import { createPendingMemory } from '../sources/appliances/pending-tokens.ts';
import { summaryFactsOf } from './summary-facts-of.ts';
import { checkIntervals, renewedCauses, UnitMonitor } from './unit-monitor.ts';
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

/** What was read from files before anything starts, and what writes them. */
interface KeptFiles extends MonitorFiles {
  readonly pendingFile: BackgroundFile;
  readonly firmwareFacts: readonly FirmwareFact[];
  readonly writer: BackgroundWriter;
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
  readonly #files: KeptFiles;
  readonly #log: LogListening;
  readonly #units: UnitMonitor;
  readonly #judge: RoundJudge;
  readonly #rounds: Runner;
  readonly #hourlyValues = createHourlyValueCollector();
  readonly #stopLoopLag: () => void;
  readonly #pulse: LivenessTracker;
  readonly #heartbeat: Heartbeat | null;
  #stopping = false;
  #lock: StoreLock | null = null;
  #last: RoundResult | null = null;

  /** @throws {Error} as `loadMonitorFiles` does, when a file that the configuration names cannot be used */
  static async create(config: Config, deps: MonitorDeps): Promise<Monitor> {
    const writer = createBackgroundWriter();
    const fileOf = (name: string): BackgroundFile => writer.of(jsonFile(stateFile(config, name)));
    const [genuineFile, shareFile] = [fileOf('genuine.json'), fileOf('share.json')];
    const files = await loadMonitorFiles(config, { ...deps, genuineFile, shareFile });
    const firmwareFacts = config.appliances.length === 0 ? [] : await loadFirmwareFacts();
    const pendingFile = fileOf('pending-tokens.json');
    return new Monitor(config, { ...files, writer, pendingFile, firmwareFacts }, deps);
  }

  /** Another one of the same configuration, with its files as they were read for this one: they may be gone by now. */
  again(): Monitor {
    return new Monitor(this.config, this.#files, this.#deps);
  }

  private constructor(config: Config, files: KeptFiles, deps: MonitorDeps) {
    const { clock, env, logger, recorder } = deps;
    const { schedule, site } = config;
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
      env,
      intervals: checkIntervals(config),
      onDelivery: (channel, result, at) => recorder.delivery(channel, result, at),
    });
    this.#log = log.listen(config, {
      clock,
      logger,
      signatures: files.signatures,
      certificate: files.certificate,
      pollingFile: jsonFile(stateFile(config, 'polling.json'), { flush: true }),
      formerPositions: stateFile(config, 'log-positions.json'),
      onEvent: (event) => this.#onLogEvent(event),
    });
    this.#units = new UnitMonitor(config, {
      ...this.#runnerDeps(),
      env,
      budget: registrationBudget(config),
      pendingTokens: createPendingMemory(files.pendingFile),
      firmwareFacts: files.firmwareFacts,
    });
    this.#judge = new RoundJudge(config, { clock, kit: files.kit, units: this.#units, log: this.#log });
    this.#rounds = new Runner({
      ...this.#runnerDeps(),
      timer: (listener) =>
        createSpreadTimer({ expression: schedule.probes, timezone: schedule.timezone, seed: site }, clock, listener),
      run: (signal) => this.#round(signal),
      triggerGap: TRIGGER_GAP,
    });
    this.probes = createProbesOnDemand(config, files.kit.looks, clock);
    this.#pulse = createLivenessTracker(clock, () => this.#rounds.nextRun(), roundLimit(config));
    const isAlive = (): boolean => this.#pulse.isAlive() && this.alerting.isWorking();
    this.#heartbeat =
      config.notify.heartbeat === null
        ? null
        : createHeartbeat(config.notify.heartbeat, {
            clock,
            logger,
            isAlive,
            readSecret: secrets,
            env,
            proxy: config.notify.proxy,
          });
  }

  /**
   * Takes the store and listens to the log, the two that can fail. `pause` and `close` undo what was done.
   * @throws {Error} when another process uses the store, or a port for log lines cannot be bound
   */
  async open(): Promise<void> {
    const { logger } = this.#deps;
    this.#lock = lockStore(this.config.store.path, logger);
    await this.#log.start();
    // Port 0 asks for any: senders must learn which it became.
    if (listens(this.config)) logger.info(this.#log.addresses(), 'Listening for log lines');
  }

  /**
   * Begins to watch with what the store holds now, after `open`.
   * @param underWay deliveries that the monitor before this one handed over
   */
  begin(underWay: readonly Attempt[] = []): void {
    const { recorder, logger } = this.#deps;
    warnAtStart(this.config, this.#files.kit, logger);
    recorder.expect({
      config: this.config,
      signatures: this.#files.signatures,
      probes: ROUND_SOURCES.flatMap((source) => source.targets(this.config)),
      judged: judgedTargets(this.config),
    });
    recorder.heard(this.#log.facts().report);
    this.alerting.start(this.store.lastRound(), underWay);
    this.#judge.remember(this.alerting.incidents());
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
    await this.#end(signal, () => this.alerting.stop(signal));
  }

  /** Pauses, and gives the deliveries under way to the monitor that takes its place. */
  handOver(signal: AbortSignal): Promise<readonly Attempt[]> {
    return this.#end(signal, () => this.alerting.handOver(signal));
  }

  async #end<T>(signal: AbortSignal, endAlerting: () => Promise<T>): Promise<T> {
    this.#heartbeat?.stop();
    this.probes.stop();
    await Promise.all([this.#rounds.stop(), this.#units.stop()]);
    const left = await endAlerting();
    await this.#log.stop();
    // The next one reads what this one remembers, unless the disk hangs.
    await unlessAborted(this.#files.writer.written(), signal).catch(() => undefined);
    return left;
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
    const seen = await this.#judge.look(signal);
    if (seen === null) return;
    const { round, late } = seen;
    const before = this.#last;
    this.#last = round;
    this.#pulse.beat();
    this.#publish(round);
    if (this.#files.kit.needsCloserLook() || deservesAnotherLook(before, round)) this.#rounds.trigger();
    void late?.then(() => signal.aborted || this.#revise(seen)).catch(this.#runnerDeps().onError);
  }

  /** The verdict first; what may be slow or full comes after it. */
  #publish(round: RoundResult): void {
    const { observations, judged, diagnosis } = round;
    const { recorder } = this.#deps;
    recorder.ended(observations);
    if (!isInvalid(observations)) recorder.measured(observations, judged, this.config);
    const { preconditions, gone, units } = this.#units.drainRenewed();
    this.#showDiagnosis(round, () => {
      const fresh = [...judged.assessments.map(({ id }) => id), ...LOG_CHECKS, ...preconditions];
      this.alerting.accept(diagnosis, fresh, { gone, seen: renewedCauses(diagnosis, units) });
    });
    this.store.recordRound(roundRecord(round, this.#hourlyValues.take(this.#units.picture())));
  }

  /** Publishes a round once more, by an answer that came after it. */
  #revise({ round: before, judgeAgain }: JudgedOnce): void {
    // A round since then has judged by what was known, and waits for the same answer.
    if (this.#last !== before) return;
    const round = judgeAgain();
    this.#last = round;
    this.#showDiagnosis(round, () => this.alerting.revise(round.diagnosis));
    this.store.recordRound({ ...roundRecord(round, []), samples: [], certificates: [] });
  }

  #showDiagnosis(round: RoundResult, alert: () => void): void {
    const { recorder, onRound } = this.#deps;
    recorder.diagnosed(round.diagnosis, this.config);
    recorder.units(this.#units.picture(), this.config);
    alert();
    recorder.incidents(this.alerting.incidents());
    onRound(round);
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
