import { EventEmitter, once } from 'node:events';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Config } from '../config/config.ts';
import { formatIssue } from '../config/issues.ts';
import type { LoadResult } from '../config/load.ts';
import type { Clock } from '../core/clock.ts';
import type { Diagnosis } from '../engine/model.ts';
import { defineMetrics } from '../metrics/definitions.ts';
import { Recorder } from '../metrics/recorder.ts';
import { createScrape } from '../metrics/scrape.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { problemsOf } from '../text/message-of.ts';
import type { Activity, ReloadOutcome } from '../web/sources.ts';
import { App, type AppDeps } from './app.ts';
import { checkStart, portsHeldWith } from './start-check.ts';

interface DaemonDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly version: string;
  readonly hostname: string;
  readonly load: () => Promise<LoadResult>;
}

const STOPPING: ReloadOutcome = { kind: 'refused', problems: ['ftm-watch is starting or stopping'] };

/** Runs one app after another. The metrics and the result of the last reload outlive a reload. */
export class Daemon {
  readonly #deps: DaemonDeps;
  readonly #kept: AppDeps;
  readonly #requests = new EventEmitter<{ reload: [] }>();
  #app: App | null = null;
  #requested: PromiseWithResolvers<ReloadOutcome> | null = null;
  #lastReload: (Activity['lastReload'] & { readonly outcome: ReloadOutcome }) | null = null;
  /** Stopped apps with requests in progress, one of which may have asked for the reload. */
  readonly #left: App[] = [];
  #isStopping = false;

  constructor(deps: DaemonDeps) {
    const { clock, version, logger } = deps;
    const registry = new Registry();
    const metrics = defineMetrics(registry);
    const recorder = new Recorder(metrics);
    const noteDiagnosis = createDiagnosisLog(logger);
    this.#deps = deps;
    this.#kept = {
      ...deps,
      registry,
      recorder,
      scrape: createScrape(registry, metrics),
      startedAt: clock.now(),
      isStopping: () => this.#isStopping,
      lastReload: () => this.#lastReload,
      rejectedReload: () => {
        const outcome = this.#lastReload?.outcome;
        return outcome?.kind === 'refused' ? outcome.problems : null;
      },
      reload: () => this.reload(),
      onRound: ({ diagnosis }) => noteDiagnosis(diagnosis),
      // A reload is recorded after it has been carried out, by the app that runs then.
      noteChange: (entry) => {
        recorder.change('done');
        this.#app?.recordChange(entry);
      },
    };
    metrics.buildInfo.set({ version, node: process.version }, 1);
    metrics.processStart.set(clock.now() / 1000 - process.uptime());
  }

  /** @throws {Error} with advice, when a port is in use or a configured file cannot be used */
  async start(config: Config): Promise<void> {
    const app = await App.create(config, this.#kept);
    await app.start();
    this.#app = app;
    this.#kept.recorder.reload(true, this.#deps.clock.now());
  }

  /**
   * All requests that arrive during a reload share one further reload, because the reload in progress may already have
   * read the file. Never rejects.
   */
  reload(): Promise<ReloadOutcome> {
    if (this.#isStopping) return Promise.resolve(STOPPING);
    this.#requested ??= Promise.withResolvers();
    this.#requests.emit('reload');
    return this.#requested.promise;
  }

  /**
   * Carries out reloads until the signal is aborted. Must be called after `start`.
   * @throws {Error} when neither a new nor the old configuration can be started
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const requested = this.#requested;
      this.#requested = null;
      if (requested !== null) {
        await this.#carryOut(requested);
        continue;
      }
      for (const app of this.#left.splice(0)) void app.hangUp();
      await once(this.#requests, 'reload', { signal }).catch(() => undefined);
    }
  }

  /** The page is closed last, so that its readiness endpoint can report the shutdown. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#requested?.resolve(STOPPING);
    await this.#app?.stop();
    if (this.#app !== null) this.#left.push(this.#app);
    await Promise.all(this.#left.map((app) => app.hangUp()));
  }

  async #carryOut(requested: PromiseWithResolvers<ReloadOutcome>): Promise<void> {
    const old = this.#app;
    if (old === null) return requested.resolve(STOPPING);
    try {
      const next = await this.#prepare(old).catch(problemsOf);
      const problems = next instanceof App ? await this.#replace(old, next) : next;
      requested.resolve(this.#report(problems));
    } finally {
      // Without an effect once it has been answered.
      requested.resolve(STOPPING);
    }
  }

  /**
   * The running app is not affected.
   * @throws {Error} with one line for each reason why the daemon cannot use the file
   */
  async #prepare(old: App): Promise<App> {
    const loaded = await this.#deps.load();
    if (loaded.kind === 'invalid') throw new Error(loaded.issues.map(formatIssue).join('\n'));
    const { config } = loaded;
    const hasSameStore = config.store.path === old.config.store.path;
    const { problems } = await checkStart(config, {
      ...this.#deps,
      daemon: { hasSameStore, holdsPort: portsHeldWith(old.config) },
      asDaemon: (work) => work(),
      asListener: (work) => work(),
    });
    if (problems.length > 0) throw new Error(problems.join('\n'));
    return App.create(config, this.#kept);
  }

  /** @returns why the new app cannot be started; in this case, the old one runs again */
  async #replace(old: App, next: App): Promise<readonly string[]> {
    await old.stop();
    this.#left.push(old);
    const problems = await next.start().then(() => [], problemsOf);
    const isTaken = problems.length === 0;
    if (!isTaken) await old.start();
    this.#app = isTaken ? next : old;
    this.#deps.logger.level = this.#app.config.log.level;
    return problems;
  }

  #report(problems: readonly string[]): ReloadOutcome {
    const { clock, logger } = this.#deps;
    const taken = problems.length === 0;
    const outcome: ReloadOutcome = taken ? { kind: 'taken' } : { kind: 'refused', problems };
    this.#lastReload = { at: clock.now(), taken, outcome };
    this.#kept.recorder.reload(taken, clock.now());
    if (taken) logger.info({ event: 'configuration-reloaded' }, 'Reloaded the configuration');
    else
      logger.error(
        { event: 'configuration-rejected', problems },
        'Rejected the new configuration. The previous configuration is still active',
      );
    return outcome;
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
