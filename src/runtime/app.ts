import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { type Deadline, deadline } from '../system/clock.ts';
import type { Config } from '../config/config.ts';
import { formatIssue } from '../config/issues.ts';
import type { LoadResult } from '../config/load.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { Diagnosis } from '../engine/model.ts';
import { defineMetrics } from '../metrics/definitions.ts';
import { Recorder } from '../metrics/recorder.ts';
import type { PushedMetrics } from '../metrics/otlp.ts';
import { createScrape, type Scrape } from '../metrics/scrape.ts';
import { CommandServer, PageServer } from './servers.ts';
import { Monitor } from './monitor.ts';
import type { Attempt } from '../notify/outbox.ts';
import { createWebSources } from './web-sources.ts';
import type { ReloadOutcome } from '../web/sources.ts';
import { problemsOf } from '../text/message-of.ts';
import type { OperatorLog } from '../system/operator-log.ts';

interface AppDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly version: string;
  readonly hostname: string;
  /** Called once all ports are bound and the first round is about to start. */
  readonly onBound: () => void;
  readonly load: () => Promise<LoadResult>;
  /** A reload failed and the old configuration cannot be resumed either, so the daemon must be restarted. */
  readonly onDeath: (error: unknown) => void;
}

/** Time limit for deliveries in progress when a stop is requested. */
const DRAIN: Millis = 5_000;

/**
 * A `Monitor` contains everything that depends on the configuration, and a reload replaces it. Metrics, the page and
 * its subscribers are kept.
 */
export class App {
  readonly #deps: AppDeps;
  readonly #recorder: Recorder;
  readonly #scrape: Scrape;
  readonly #pushed: PushedMetrics;
  readonly #page: PageServer;
  readonly #control: CommandServer;
  readonly #begun = Promise.withResolvers<void>();
  readonly #noteDiagnosis: ReturnType<typeof createDiagnosisLog>;
  #monitor: Monitor | null = null;
  #lastReload: { readonly at: EpochMs; readonly outcome: ReloadOutcome } | null = null;
  #reloading: Promise<ReloadOutcome> | null = null;
  #nextReload: Promise<ReloadOutcome> | null = null;
  #stopping = false;

  constructor(deps: AppDeps) {
    const { clock, version, logger } = deps;
    const registry = new Registry();
    const metrics = defineMetrics(registry);
    const monitor = (): Monitor => this.#running();
    this.#deps = deps;
    this.#recorder = new Recorder(metrics);
    this.#noteDiagnosis = createDiagnosisLog(logger);
    this.#scrape = createScrape(registry, metrics, monitor);
    const startedAt = clock.now();
    this.#pushed = {
      registry,
      startedAt,
      refresh: async () => {
        this.#recorder.ownCertificate(this.#page.certificateEnd());
        const scraped = this.#recorder.scraping();
        await this.#scrape.update();
        return scraped;
      },
      failed: () => this.#recorder.pushFailed(),
    };
    const sources = createWebSources({
      clock,
      env: deps.env,
      version,
      begun: this.#begun.promise,
      startedAt,
      monitor,
      stopping: () => this.#stopping,
      lastReload: () =>
        this.#lastReload && { at: this.#lastReload.at, taken: this.#lastReload.outcome.kind === 'taken' },
      recorder: this.#recorder,
      certificateEnd: () => this.#page.certificateEnd(),
      metrics: async () => {
        this.#recorder.ownCertificate(this.#page.certificateEnd());
        const scraped = this.#recorder.scraping();
        const text = await this.#scrape.read();
        scraped();
        return text;
      },
      reload: () => this.reload(),
    });
    this.#page = new PageServer({ ...deps, sources });
    this.#control = new CommandServer({ ...deps, sources });
    metrics.buildInfo.set({ version, node: process.version }, 1);
    metrics.processStart.set(clock.now() / 1000 - process.uptime());
  }

  /**
   * Binds all ports before monitoring starts, so that a daemon that cannot start does not send notifications.
   * @throws {Error} with advice, when a port is in use or a configured file cannot be used
   */
  async start(config: Config): Promise<void> {
    const monitor = await this.#createMonitor(config);
    try {
      await monitor.open();
      await this.#control.start(config.store.path);
      await this.#page.start(config.web);
    } catch (error) {
      await this.#control.stop();
      await this.#endMonitor(monitor);
      throw error;
    }
    this.#deps.onBound();
    monitor.begin();
    this.#monitor = monitor;
    this.#begun.resolve();
    this.#recorder.reload(true, this.#deps.clock.now());
  }

  /** The page is stopped last, so that its readiness endpoint can report the shutdown. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#reloading;
    if (this.#monitor !== null) await this.#endMonitor(this.#monitor);
    await this.#control.stop();
    await this.#page.stop();
  }

  /**
   * An invalid file changes nothing. All reload requests that arrive during a reload share one further reload, because
   * the reload in progress may already have read the file. Never rejects.
   */
  reload(): Promise<ReloadOutcome> {
    if (this.#reloading === null) return this.#beginReload();
    this.#nextReload ??= this.#reloading.then(() => {
      this.#nextReload = null;
      return this.#reloading ?? this.#beginReload();
    });
    return this.#nextReload;
  }

  #beginReload(): Promise<ReloadOutcome> {
    this.#reloading = this.#reload()
      .catch((error: unknown): ReloadOutcome => ({ kind: 'refused', problems: problemsOf(error) }))
      .then((outcome) => {
        this.#reloading = null;
        return this.#reportReload(outcome);
      });
    return this.#reloading;
  }

  async #reload(): Promise<ReloadOutcome> {
    const old = this.#monitor;
    if (old === null || this.#stopping) return { kind: 'refused', problems: ['ftm-watch is starting or stopping'] };
    const loaded = await this.#deps.load();
    if (loaded.kind === 'invalid') return { kind: 'refused', problems: loaded.issues.map(formatIssue) };
    const { config } = loaded;
    // As much as possible is prepared while the old monitor is still running.
    const next = await this.#createMonitor(config);
    try {
      const page = await this.#page.prepare(config.web);
      try {
        await this.#replace(old, next);
      } catch (error) {
        await page.discard();
        throw error;
      }
      page.commit();
    } catch (error) {
      await this.#endMonitor(next);
      throw error;
    }
    await this.#control.move(config.store.path);
    this.#deps.logger.level = config.log.level;
    return { kind: 'taken' };
  }

  /** @throws {Error} when the new monitor cannot bind a port; in this case, the old configuration is active again */
  async #replace(old: Monitor, next: Monitor): Promise<void> {
    using limit = this.#drain();
    const underWay = await old.handOver(limit.signal);
    this.#scrape.takeCounts(old);
    try {
      await this.#handOver(old, next, underWay);
    } catch (error) {
      // The new monitor must finish its writes before the old monitor reads its files again.
      await this.#endMonitor(next);
      this.#scrape.takeCounts(next);
      await this.#handOver(old, old.again(), underWay).catch((death: unknown) => {
        this.#deps.onDeath(death);
        throw death;
      });
      throw error;
    }
  }

  /** The old monitor continues to store users' changes until the new monitor has read the store. */
  async #handOver(old: Monitor, next: Monitor, underWay: readonly Attempt[]): Promise<void> {
    old.unlock();
    await next.open();
    old.close();
    next.begin(underWay);
    this.#monitor = next;
  }

  #reportReload(outcome: ReloadOutcome): ReloadOutcome {
    const { clock, logger } = this.#deps;
    const taken = outcome.kind === 'taken';
    this.#lastReload = { at: clock.now(), outcome };
    this.#recorder.reload(taken, clock.now());
    if (outcome.kind === 'taken') logger.info({ event: 'configuration-reloaded' }, 'Reloaded the configuration');
    else
      logger.error(
        { event: 'configuration-rejected', problems: outcome.problems },
        'Rejected the new configuration. The previous configuration is still active',
      );
    return outcome;
  }

  #running(): Monitor {
    if (this.#monitor === null)
      throw new Error('Nothing is monitored before start() is called. This is a bug in the caller');
    return this.#monitor;
  }

  #createMonitor(config: Config): Promise<Monitor> {
    return Monitor.create(config, {
      ...this.#deps,
      recorder: this.#recorder,
      pushed: this.#pushed,
      certificateEnd: () => this.#page.certificateEnd(),
      rejectedReload: () => {
        const outcome = this.#lastReload?.outcome;
        return outcome?.kind === 'refused' ? outcome.problems : null;
      },
      onRound: ({ diagnosis }) => this.#noteDiagnosis(diagnosis),
    });
  }

  async #endMonitor(monitor: Monitor): Promise<void> {
    using limit = this.#drain();
    await monitor.pause(limit.signal);
    monitor.close();
  }

  #drain(): Deadline {
    return deadline(this.#deps.clock, DRAIN, new AbortController().signal);
  }
}

/** Logs a diagnosis only if it differs from the previous one. */
export function createDiagnosisLog(logger: OperatorLog): (diagnosis: Diagnosis) => void {
  let before = '';
  return ({ ready, causes, preconditions }) => {
    const shown = {
      ready,
      causes: causes.map(({ id, severity, subject }) => ({ id, severity, subject })),
      ...(ready === 'unknown'
        ? { unknown: preconditions.filter(({ state }) => state === 'unknown').map(({ id }) => id) }
        : {}),
    };
    const now = JSON.stringify({ ...shown, causes: shown.causes.map((cause) => JSON.stringify(cause)).toSorted() });
    if (now === before) return;
    before = now;
    if (ready === 'ready') logger.info({ event: 'activation-ready', ...shown }, 'Activation can work');
    else if (ready === 'not-ready') logger.warn({ event: 'activation-not-ready', ...shown }, 'Activation cannot work');
    else logger.warn({ event: 'activation-unknown', ...shown }, 'It is unknown whether activation can work');
  };
}
