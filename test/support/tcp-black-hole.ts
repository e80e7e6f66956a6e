import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens with the shortest queue and accepts nothing: its thread sleeps until it is ended. */
const SLEEPER = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Connections that fill the queue of a sleeping listener, with a margin: Linux lets one more in than asked for. */
const QUEUED = 4;

/** A port on which SYN packets are dropped, as by a firewall: nothing is accepted and nothing is refused. */
export async function createBlackHole(): Promise<AsyncDisposable & { readonly port: number }> {
  const worker = new Worker(SLEEPER, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: QUEUED }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  // The first two are queued at once; the kernel answers no further SYN from then on.
  await once(fillers[1] ?? worker, 'connect');
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    },
  };
}
