import { createServer } from 'node:net';
import { listening } from '../../../src/demo/lab/listening.ts';

/** Returns a TCP port on 127.0.0.1 that was free a moment ago, so nothing listens on it. */
export async function freePort(): Promise<number> {
  await using server = await listening(createServer());
  return server.port;
}
