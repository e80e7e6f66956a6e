import { isDeepStrictEqual } from 'node:util';

import type { Logger } from 'pino';
import { Registry } from 'prom-client';

import { deadline } from './clock.ts';
import type { Config } from './config/config.ts';
import { formatIssue } from './config/issues.ts';
import type { LoadResult } from './config/load.ts';
import type { Clock, EpochMs, Millis } from './core/clock.ts';
import { defineMetrics } from './metrics/definitions.ts';
import { Recorder } from './metrics/recorder.ts';
import { createScrape } from './metrics/scrape.ts';
import { RoundFeed } from './watch/round-feed.ts';
import { Watch } from './watch/watch.ts';
import { createWebSources } from './watch/web-sources.ts';
import { createWebServer, type WebServer } from './web/server.ts';
import type { Activity, ReloadOutcome } from './web/sources.ts';

export interface AppDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly version: string;
  /** Reads the configuration anew. */
  readonly load: () => Promise<LoadResult>;
}

/** What delivers notifications may go on for so long after the end was asked for. */
const DRAIN: Millis = 5_000;

/**
 * The daemon: configuration → schedule → probes, logs, connectors → diagnosis → metrics, incidents, page, history. All that depends on
 * the configuration is one `Watch`, which a reload replaces; metrics and subscribers of the page outlive it.
 */
export class App {
  readonly #deps: AppDeps;
  readonly #registry = new Registry();
  readonly #metrics = defineMetrics(this.#registry);
  readonly #recorder = new Recorder(this.#metrics);
  readonly #feed = new RoundFeed();
  readonly #startedAt: EpochMs;
  #watch: Watch | null = null;
  #web: WebServer | null = null;
  #lastReload: Activity['lastReload'] = null;
  #reloading: Promise<ReloadOutcome> | null = null;
  #stopping = false;

  constructor(deps: AppDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    this.#metrics.buildInfo.set({ version: deps.version, node: process.version }, 1);
  }

  /** @throws {Error} saying what to do: a port is taken, a file that the configuration names cannot be used */
  async start(config: Config): Promise<void> {
    this.#watch = await this.#startWatch(config);
    try {
      await this.#startWeb(config);
    } catch (error) {
      await this.#stopWatch(this.#watch);
      throw error;
    }
    this.#recorder.reload(true, this.#deps.clock.now());
  }

  /** The page goes last, so that its readiness shows the drain. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#reloading;
    if (this.#watch !== null) await this.#stopWatch(this.#watch);
    await this.#web?.stop();
  }

  /** Takes the configuration file anew; a bad one changes nothing. Asked for twice at once, it is done once. */
  reload(): Promise<ReloadOutcome> {
    this.#reloading ??= this.#reload()
      .then((outcome) => this.#tellReload(outcome))
      .finally(() => {
        this.#reloading = null;
      });
    return this.#reloading;
  }

  async #reload(): Promise<ReloadOutcome> {
    const old = this.#watch;
    if (old === null || this.#stopping) return { kind: 'refused', problems: ['ftm-watch is starting or stopping'] };
    const loaded = await this.#deps.load();
    if (loaded.kind === 'invalid') return { kind: 'refused', problems: loaded.issues.map(formatIssue) };
    const { config } = loaded;
    try {
      // What can fail without a port is tried while the old one still watches.
      const next = await this.#createWatch(config);
      await this.#stopWatch(old);
      this.#watch = await this.#startOr(next, old.config);
    } catch (error) {
      return { kind: 'refused', problems: [messageOf(error)] };
    }
    if (this.#watch !== old && this.#watch.config !== config)
      return { kind: 'refused', problems: ['The new configuration could not be started: see the log'] };
    if (!isDeepStrictEqual(old.config.web, config.web)) this.#restartWeb(config);
    return { kind: 'taken' };
  }

  /** Starts the new one; when a port of it cannot be bound, the old configuration takes over again. */
  async #startOr(next: Watch, fallback: Config): Promise<Watch> {
    try {
      await next.start();
      return next;
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'the new configuration could not be started');
      await this.#stopWatch(next);
      return this.#startWatch(fallback);
    }
  }

  #tellReload(outcome: ReloadOutcome): ReloadOutcome {
    const { clock, logger } = this.#deps;
    const taken = outcome.kind === 'taken';
    this.#lastReload = { at: clock.now(), taken };
    this.#recorder.reload(taken, clock.now());
    if (outcome.kind === 'taken') logger.info('configuration reloaded');
    else logger.error({ problems: outcome.problems }, 'configuration refused: the one before it is still in force');
    return outcome;
  }

  /** After the answer to the reload is out: it may have come through the very server that is replaced. */
  #restartWeb(config: Config): void {
    const old = this.#web;
    this.#deps.clock.after(0, () => {
      void (old?.stop() ?? Promise.resolve())
        .then(() => this.#startWeb(config))
        .catch((error: unknown) => {
          this.#deps.logger.error({ err: error }, 'the status page could not be started again');
        });
    });
  }

  async #startWeb(config: Config): Promise<void> {
    const { clock, env, logger } = this.#deps;
    const web = createWebServer(config.web, this.#sources(), { clock, env, logger });
    const { address, port } = await web.start();
    this.#web = web;
    const scheme = config.web.tls === null ? 'http' : 'https';
    logger.info({ url: `${scheme}://${address.includes(':') ? `[${address}]` : address}:${String(port)}/` }, 'status page');
  }

  #sources(): ReturnType<typeof createWebSources> {
    const watch = (): Watch => this.#running();
    return createWebSources({
      version: this.#deps.version,
      startedAt: this.#startedAt,
      watch,
      feed: this.#feed,
      stopping: () => this.#stopping,
      lastReload: () => this.#lastReload,
      metrics: createScrape(this.#registry, this.#metrics, {
        logCounters: () => watch().logCounters(),
        pending: () => watch().alerting.pending(),
        storeWritable: () => watch().store.writable(),
      }),
      reload: () => this.reload(),
    });
  }

  #running(): Watch {
    if (this.#watch === null) throw new Error('Nothing is watched before start: a mistake of the caller');
    return this.#watch;
  }

  async #startWatch(config: Config): Promise<Watch> {
    const watch = await this.#createWatch(config);
    try {
      await watch.start();
    } catch (error) {
      await this.#stopWatch(watch);
      throw error;
    }
    return watch;
  }

  #createWatch(config: Config): Promise<Watch> {
    const { clock, env, logger } = this.#deps;
    return Watch.create(config, {
      clock,
      env,
      logger,
      recorder: this.#recorder,
      onRound: ({ diagnosis }) => {
        this.#feed.publish(diagnosis);
      },
    });
  }

  async #stopWatch(watch: Watch): Promise<void> {
    using limit = deadline(this.#deps.clock, DRAIN, new AbortController().signal);
    await watch.stop(limit.signal);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
