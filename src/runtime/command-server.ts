import { lstatSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { messageOf } from '../text/message-of.ts';
import { type HttpServer, SocketTaken, startControlServer } from '../web/http-server.ts';
import type { Serving } from '../web/sources.ts';
import type { ControlPlace } from './store-places.ts';

/**
 * Accepts commands from this machine on a Unix socket. If the socket cannot be created, monitoring continues without
 * commands.
 * @throws {SocketTaken} when another daemon uses the socket
 */
export async function startCommandServer(place: ControlPlace, serving: Serving): Promise<HttpServer | null> {
  let server: HttpServer | null = null;
  try {
    server = await startControlServer(place.socket, serving);
    makeLink(place);
    serving.logger.debug({ event: 'commands-listening', socket: place.socket }, 'Listening for commands');
  } catch (error) {
    if (error instanceof SocketTaken) throw error;
    serving.logger.warn(
      { event: 'commands-unavailable', error: messageOf(error) },
      'Commands such as "ftm-watch silence" cannot connect to this daemon. Everything else works',
    );
  }
  return server;
}

function makeLink({ link, socket }: ControlPlace): void {
  if (link === null) return;
  if (lstatSync(link, { throwIfNoEntry: false })?.isFile() === true)
    throw new Error(`Cannot create the link "${link}" to "${socket}": a file with this name exists`);
  rmSync(link, { force: true });
  symlinkSync(socket, link);
}

/** Removes the link to the socket, unless the link now refers to another daemon's socket. */
export function removeLink({ link, socket }: ControlPlace): void {
  if (link === null) return;
  try {
    if (readlinkSync(link) === socket) rmSync(link);
  } catch {
    // There may be no link.
  }
}
