import { lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { sleep } from '../system/clock.ts';
import type { ListenAddress } from '../config/schema/section.ts';
import type { WebConfig } from '../config/schema/web.ts';
import { errorCode } from '../network/failure.ts';
import { authority } from '../core/addresses.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import {
  type ControlServer,
  createWebServer,
  SocketTaken,
  startControlServer,
  type WebServer,
} from '../web/http-server.ts';
import { messageOf } from '../text/message-of.ts';
import type { WebSources } from '../web/sources.ts';
import { controlPlace, type ControlPlace } from './store-places.ts';

interface ServerDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly sources: WebSources;
}

/** The new page is already listening. */
interface PageChange {
  /** The old page is not stopped until it has responded to the request that caused the change. */
  commit(): void;
  /** Never rejects. */
  discard(): Promise<void>;
}

interface Page {
  readonly config: WebConfig;
  readonly server: WebServer;
}

export class PageServer {
  readonly #deps: ServerDeps;
  #running: Page | null = null;
  #changing: Promise<void> = Promise.resolve();

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** @throws {Error} with advice, when the port is in use, or a certificate or a password hash cannot be read */
  async start(config: WebConfig): Promise<void> {
    const page = this.#create(config);
    this.#logAddress(page, await page.server.start());
    this.#running = page;
  }

  /**
   * If preparing fails, the old page is kept. If both pages use the same port, the old page stops listening, but keeps
   * its existing connections.
   * @throws {Error} as in `start`
   */
  async prepare(config: WebConfig): Promise<PageChange> {
    await this.#changing;
    const old = this.#running;
    if (old === null || isDeepStrictEqual(old.config, config))
      return { commit: () => void old?.server.refreshCertificate(), discard: () => Promise.resolve() };
    const next = this.#create(config);
    const { address, hasReleased } = await this.#listen(next, old);
    return {
      commit: () => {
        this.#running = next;
        this.#logAddress(next, address);
        this.#afterwards(() => old.server.stop());
      },
      discard: async () => {
        next.server.release();
        if (hasReleased) await this.#listenAgain(old);
        await next.server.stop();
      },
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

  async #listen(next: Page, old: Page): Promise<{ readonly address: ListenAddress; readonly hasReleased: boolean }> {
    let hasReleased = false;
    try {
      const address = await next.server.start().catch((error: unknown) => {
        if (next.config.listen.port !== old.config.listen.port || !isPortInUse(error)) throw error;
        old.server.release();
        hasReleased = true;
        return next.server.start();
      });
      return { address, hasReleased };
    } catch (error) {
      await next.server.stop();
      if (hasReleased) await this.#listenAgain(old);
      throw error;
    }
  }

  async #listenAgain(old: Page): Promise<void> {
    try {
      await old.server.start();
    } catch (error) {
      this.#deps.logger.error(
        { event: 'page-lost', err: error },
        'Cannot continue serving the status page. Restart ftm-watch',
      );
    }
  }

  /** Runs `change` later, so that the old server can still respond to the request that caused it. */
  #afterwards(change: () => Promise<void>): void {
    const { clock, logger } = this.#deps;
    this.#changing = sleep(clock, 0, new AbortController().signal)
      .then(change)
      .catch((error: unknown) =>
        logger.error({ event: 'page-not-closed', err: error }, 'Cannot close the previous status page'),
      );
  }

  #create(config: WebConfig): Page {
    return { config, server: createWebServer(config, this.#deps) };
  }

  #logAddress({ config }: Page, { address, port }: ListenAddress): void {
    const scheme = config.tls === null ? 'http' : 'https';
    const url = `${scheme}://${authority({ host: address, port })}/`;
    this.#deps.logger.info({ event: 'page-served', url }, 'Serving the status page');
  }
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && errorCode(error.cause) === 'EADDRINUSE';
}

/**
 * Accepts commands from this machine on a Unix socket. If the socket cannot be created, monitoring continues without
 * commands.
 */
export class CommandServer {
  readonly #deps: ServerDeps;
  #server: ControlServer | null = null;
  #place: ControlPlace | null = null;
  #leaving: Promise<void> = Promise.resolve();

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** @throws {SocketTaken} when another daemon uses the socket */
  async start(storePath: string): Promise<void> {
    try {
      await this.#open(storePath);
    } catch (error) {
      if (error instanceof SocketTaken) throw error;
      this.#warn(error);
    }
  }

  /** If a command caused the move, the old server still responds to that command. */
  async move(storePath: string): Promise<void> {
    await this.#open(storePath).catch((error: unknown) => this.#warn(error));
  }

  async stop(): Promise<void> {
    await this.#leaving;
    if (this.#place !== null) removeLink(this.#place);
    await this.#server?.stop();
  }

  async #open(storePath: string): Promise<void> {
    const place = controlPlace(storePath, this.#deps.env);
    const old = { server: this.#server, place: this.#place };
    if (old.place?.socket !== place.socket) {
      this.#server = await startControlServer(place.socket, this.#deps);
      this.#leaving = old.server?.stop() ?? Promise.resolve();
      this.#deps.logger.debug({ event: 'commands-listening', socket: place.socket }, 'Listening for commands');
    }
    this.#place = place;
    if (old.place !== null && old.place.link !== place.link) removeLink(old.place);
    makeLink(place);
  }

  #warn(error: unknown): void {
    this.#deps.logger.warn(
      { event: 'commands-unavailable', error: messageOf(error) },
      'Commands such as "ftm-watch silence" cannot connect to this daemon. Everything else works',
    );
  }
}

function makeLink({ link, socket }: ControlPlace): void {
  if (link === null) return;
  if (lstatSync(link, { throwIfNoEntry: false })?.isFile() === true)
    throw new Error(`Cannot create the link "${link}" to "${socket}": a file with this name exists`);
  rmSync(link, { force: true });
  symlinkSync(socket, link);
}

/** Removes the link to the socket, unless the link now refers to another daemon's socket. */
function removeLink({ link, socket }: ControlPlace): void {
  if (link === null) return;
  try {
    if (readlinkSync(link) === socket) rmSync(link);
  } catch {
    // There may be no link.
  }
}
