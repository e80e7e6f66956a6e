import { lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { type ControlServer, SocketTaken, startControlServer } from '../web/http-server.ts';
import type { WebSources } from '../web/sources.ts';
import { controlPlace, type ControlPlace } from './control-place.ts';

interface ControlHostDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly sources: WebSources;
}

/**
 * Accepts commands from this machine at a Unix socket. If it cannot be created, monitoring continues without commands.
 */
export class ControlHost {
  readonly #deps: ControlHostDeps;
  #server: ControlServer | null = null;
  #place: ControlPlace | null = null;
  #leaving: Promise<void> = Promise.resolve();

  constructor(deps: ControlHostDeps) {
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

  /** If a command caused the move, the old server still replies to that command. */
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
      this.#deps.logger.debug({ socket: place.socket }, 'Listening to commands');
    }
    this.#place = place;
    if (old.place !== null && old.place.link !== place.link) removeLink(old.place);
    makeLink(place);
  }

  #warn(error: unknown): void {
    this.#deps.logger.warn(
      { error: messageOf(error) },
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
    // The link may not exist.
  }
}
