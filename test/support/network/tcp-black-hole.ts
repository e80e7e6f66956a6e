import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens with the shortest queue and accepts nothing. Its thread sleeps until it is terminated. */
const SLEEPER = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Number of connections that fill the listener's queue, with a margin: Linux allows one more than requested. */
const QUEUED = 4;

/** Returns a port that drops SYN packets as a firewall does, neither accepting nor refusing connections. */
export async function createBlackHole(): Promise<AsyncDisposable & { readonly port: number }> {
  const worker = new Worker(SLEEPER, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: QUEUED }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  // The first two are queued immediately. The kernel answers no SYN after that.
  await once(fillers[1] ?? worker, 'connect');
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
