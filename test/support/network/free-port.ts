import { createServer } from 'node:net';
import { listening } from '../../../src/demo/lab/listening.ts';

/** Returns a TCP port on 127.0.0.1 that was free a moment ago, so nothing listens on it. */
export async function freePort(): Promise<number> {
  await using server = await listening(createServer());
  return server.port;
}

export interface TakenPort extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly listen: string;
}

/** Listens on a TCP port, so that nobody else can. */
export async function takenPort(port = 0, address = '127.0.0.1'): Promise<TakenPort> {
  const server = await listening(createServer(), { address, port });
  return { listen: `${address}:${String(server.port)}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
