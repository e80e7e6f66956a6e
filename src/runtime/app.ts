import type { Config } from '../config/config.ts';
import { authority } from '../core/addresses.ts';
import type { AuditEntry } from '../core/audit.ts';
import type { Millis } from '../core/clock.ts';
import { createInstruments, type Instruments } from '../round/instruments.ts';
import { MAIL_ROOTS_FILE } from '../round/mail-roots.ts';
import { deadline } from '../system/clock.ts';
import { type BackgroundFile, type BackgroundWriter, createBackgroundWriter, jsonFile } from '../system/json-file.ts';
import { allOrProblems } from '../text/message-of.ts';
import { type HttpServer, servePage } from '../web/http-server.ts';
import { loadPage, type PageFiles } from '../web/page-files.ts';
import type { Serving } from '../web/sources.ts';
import { removeLink, startCommandServer } from './command-server.ts';
import { Monitor, type MonitorDeps } from './monitor.ts';
import { loadMonitorFiles, type MonitorFiles } from './start-check.ts';
import { type ControlPlace, controlPlace, stateFile } from './store-places.ts';
import { createWebSources, type DaemonFacts } from './web-sources.ts';

/** What outlives a reload. */
export type AppDeps = Omit<MonitorDeps, 'writer' | 'certificateEnd'> &
  Pick<DaemonFacts, 'version' | 'isStopping' | 'lastReload' | 'noteChange' | 'reload'>;

/** The files that are read before the start. They are kept, because they may be gone when the app is started again. */
interface AppFiles {
  readonly instruments: Instruments;
  readonly monitor: MonitorFiles;
  readonly page: PageFiles;
  readonly writer: BackgroundWriter;
}

/** Time limit for deliveries in progress. The page and the log's listeners stay open meanwhile. */
const DRAIN: Millis = 5_000;

interface Running {
  readonly monitor: Monitor;
  readonly servers: readonly HttpServer[];
}

/** Everything that runs under one configuration. Can be started again after it was stopped. */
export class App {
  readonly config: Config;
  readonly #deps: AppDeps;
  readonly #files: AppFiles;
  readonly #place: ControlPlace;
  #running: Running | null = null;
  /** Servers that no longer listen, but may have requests in progress. */
  #left: readonly HttpServer[] = [];

  /** @throws {Error} with one line for each configured file that cannot be used */
  static async create(config: Config, deps: AppDeps): Promise<App> {
    const writer = createBackgroundWriter();
    const fileOf = (name: string): BackgroundFile => writer.of(jsonFile(stateFile(config, name)));
    const memory = { samplingFile: fileOf('share.json'), mailRootsFile: fileOf(MAIL_ROOTS_FILE) };
    const [instruments, monitor, page] = await allOrProblems([
      createInstruments(config, { ...deps, ...memory }),
      loadMonitorFiles(config, deps.env),
      loadPage(config.web, deps),
    ]);
    return new App(config, { instruments, monitor, page, writer }, deps);
  }

  private constructor(config: Config, files: AppFiles, deps: AppDeps) {
    this.config = config;
    this.#files = files;
    this.#deps = deps;
    this.#place = controlPlace(config.store.path, deps.env);
  }

  /**
   * Opens all ports before monitoring starts, so that an app that cannot start does not send notifications.
   * @throws {Error} with advice, when a port or the store is in use; everything has been closed again
   */
  async start(): Promise<void> {
    const { clock, logger } = this.#deps;
    const { web } = this.config;
    const begun = Promise.withResolvers<void>();
    const monitor = new Monitor(this.#files.instruments, this.#files.monitor, {
      ...this.#deps,
      writer: this.#files.writer,
      certificateEnd: () => this.#files.page.certificate?.end() ?? null,
    });
    const sources = createWebSources({
      ...this.#deps,
      monitor,
      begun: begun.promise,
      controlSocket: () => this.#place.socket,
    });
    const serving: Serving = { sources, clock, logger };
    const servers: HttpServer[] = [];
    this.#running = { monitor, servers };
    const openCommands = async (): Promise<void> => {
      const commands = await startCommandServer(this.#place, serving);
      if (commands !== null) servers.push(commands);
    };
    const openPage = async (): Promise<string> => {
      const page = await servePage(web, this.#files.page, serving);
      servers.push(page);
      return `${web.tls === null ? 'http' : 'https'}://${authority({ ...page.address, host: page.address.address })}/`;
    };
    try {
      const [, , url] = await allOrProblems([monitor.open(), openCommands(), openPage()]);
      logger.info({ event: 'page-served', url }, 'Serving the status page');
    } catch (error) {
      await this.stop();
      void this.hangUp();
      throw error;
    }
    monitor.begin();
    begun.resolve();
  }

  /** The ports and the store are free afterwards. Requests in progress continue until `hangUp`. */
  async stop(): Promise<void> {
    if (this.#running === null) return;
    const { monitor, servers } = this.#running;
    using limit = deadline(this.#deps.clock, DRAIN, new AbortController().signal);
    await monitor.stop(limit.signal);
    // Nothing waits from here on, so that no change is made that is not stored.
    this.#running = null;
    removeLink(this.#place);
    for (const server of servers) server.release();
    monitor.close();
    this.#left = [...this.#left, ...servers];
  }

  /** Gives requests that were in progress at the stop a short time to finish. */
  async hangUp(): Promise<void> {
    const left = this.#left;
    this.#left = [];
    await Promise.all(left.map((server) => server.stop()));
  }

  recordChange(entry: AuditEntry): void {
    this.#running?.monitor.store.recordChange(entry);
  }
}
