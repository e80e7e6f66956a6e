import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { beat } from '../../system/clock.ts';
import { LOOK_EVERY } from './missed-looks.ts';

/** After compilation, this file and its thread have the extension `.js`. */
const THREAD: URL = new URL(`./watching-thread${extname(import.meta.filename)}`, import.meta.url);

/**
 * Starts a thread that ends this process if the event loop does not run for a minute. All other problems are detected
 * in
 * the event loop. systemd and container runtimes then restart the process. Stops when disposed.
 */
export function watchLoop(clock: Clock, logger: Pick<Logger, 'error'>): Disposable {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  // The thread needs neither the daemon's options nor its environment, which may contain secrets.
  const thread = new Worker(THREAD, { workerData: beats, env: {}, execArgv: [] });
  let isNeeded = true;
  function onEnd(error: unknown): void {
    if (!isNeeded) return;
    isNeeded = false;
    logger.error(
      { err: error },
      'Cannot monitor the event loop. If the process hangs, it will not be restarted automatically',
    );
  }
  thread.on('error', onEnd);
  thread.once('exit', (code) => onEnd(new Error(`The thread ended with code ${String(code)}`)));
  const cancel = beat(clock, LOOK_EVERY, () => void Atomics.add(beats, 0, 1));

  return {
    [Symbol.dispose]: () => {
      isNeeded = false;
      cancel();
      void thread.terminate();
    },
  };
}
