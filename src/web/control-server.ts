import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { createHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';

/** It speaks with the commands of this machine, at a Unix socket. */
export type ControlServer = Pick<HttpServer, 'stop'>;

/** Another daemon answers at the socket. */
export class SocketTaken extends Error {
  constructor(path: string) {
    super(
      `Cannot listen at "${path}": another ftm-watch does; stop that one, or give this one a RUNTIME_DIRECTORY ` +
        `of its own`,
    );
    this.name = 'SocketTaken';
  }
}

/** For the owner and the group: who may open the socket may do everything. */
const MODE = 0o660;
/** Of `sun_path` in unix(7), without the zero byte. Node cuts off what is longer, and says nothing. */
const MAX_PATH = 107;

/**
 * Serves all routes at a Unix socket, in the place of one that a killed daemon has left.
 * @throws {SocketTaken}
 * @throws {Error} when it cannot listen there
 */
export async function startControlServer(
  path: string,
  options: Pick<HttpServerOptions, 'sources' | 'clock' | 'logger'>,
): Promise<ControlServer> {
  if (Buffer.byteLength(path) > MAX_PATH)
    throw new Error(`Cannot listen at "${path}": expected a path of at most ${String(MAX_PATH)} bytes`);
  await clearAway(path);
  const server = await createHttpServer({ ...options, access: { kind: 'socket' }, certificate: null });
  await server.listen({ path });
  chmodSync(path, MODE);
  return server;
}

/** Removes what a daemon has left there that does not answer any more. */
async function clearAway(path: string): Promise<void> {
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left === undefined) return;
  // A link leads to the socket in a runtime directory.
  if (!left.isSocket() && !left.isSymbolicLink()) throw new Error(`Cannot listen at "${path}": a file is there`);
  if (await isAnswered(path)) throw new SocketTaken(path);
  rmSync(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
