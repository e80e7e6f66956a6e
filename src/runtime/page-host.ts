import { isDeepStrictEqual } from 'node:util';

import type { Logger } from 'pino';

import { sleep } from '../system/clock.ts';
import type { WebConfig } from '../config/schema/web.ts';
import { authority } from '../core/authority.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { createWebServer, type WebServer } from '../web/server.ts';
import type { WebSources } from '../web/sources.ts';

export interface PageHostDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly sources: WebSources;
  /** A new configuration that was taken turns out not to work for the page: the one before it goes on. */
  readonly onSetback: (error: unknown) => void;
}

/** A page that is ready to take the place of another. */
export interface PageChange {
  /** Puts it there, once the answer to the request that asked for it is out. */
  commit(): void;
  discard(): Promise<void>;
}

const UNCHANGED: PageChange = { commit: () => undefined, discard: () => Promise.resolve() };

interface Running {
  readonly config: WebConfig;
  readonly server: WebServer;
}

/** Serves the status page, and moves it when its configuration changes. */
export class PageHost {
  readonly #deps: PageHostDeps;
  #running: Running | null = null;
  #changing: Promise<void> = Promise.resolve();

  constructor(deps: PageHostDeps) {
    this.#deps = deps;
  }

  /** @throws {Error} saying what to do: the port is taken, a certificate or a password hash cannot be read */
  async start(config: WebConfig): Promise<void> {
    this.#running = await this.#open(config);
  }

  /**
   * Opens another port at once, so that nothing changes when that fails. What stays on its port can only be tried when
   * the old one is gone.
   * @throws {Error} like `start`
   */
  async prepare(config: WebConfig): Promise<PageChange> {
    await this.#changing;
    const old = this.#running;
    if (old === null) return UNCHANGED;
    if (isDeepStrictEqual(old.config, config))
      return { ...UNCHANGED, commit: () => void old.server.refreshCertificate() };
    if (old.config.listen.port === config.listen.port) {
      return {
        ...UNCHANGED,
        commit: () => this.#afterwards(() => this.#replace(old, config)),
      };
    }
    const opened = await this.#open(config);
    return {
      commit: () => {
        this.#running = opened;
        this.#afterwards(() => old.server.stop());
      },
      discard: () => opened.server.stop(),
    };
  }

  certificateEnd(): EpochMs | null {
    return this.#running?.server.certificateEnd() ?? null;
  }

  async stop(): Promise<void> {
    await this.#changing;
    await this.#running?.server.stop();
    this.#running = null;
  }

  async #replace(old: Running, config: WebConfig): Promise<void> {
    await old.server.stop();
    try {
      this.#running = await this.#open(config);
    } catch (error) {
      this.#deps.onSetback(error);
      this.#running = await this.#open(old.config);
    }
  }

  /** A request that asked for the change is answered by the very server that goes. */
  #afterwards(change: () => Promise<void>): void {
    const { clock, logger } = this.#deps;
    this.#changing = sleep(clock, 0, new AbortController().signal)
      .then(change)
      .catch((error: unknown) =>
        logger.error({ err: error }, 'Cannot serve the status page any more: restart ftm-watch'),
      );
  }

  async #open(config: WebConfig): Promise<Running> {
    const { logger, sources } = this.#deps;
    const server = createWebServer(config, sources, this.#deps);
    const { address, port } = await server.start();
    const scheme = config.tls === null ? 'http' : 'https';
    logger.info({ url: `${scheme}://${authority({ host: address, port })}/` }, 'Serving the status page');
    return { config, server };
  }
}
