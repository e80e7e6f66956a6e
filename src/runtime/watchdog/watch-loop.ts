import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { Clock } from '../../core/clock.ts';
import { beat } from '../../system/clock.ts';
import { LOOK_EVERY } from './missed-looks.ts';

/** Compiled, this file and its thread end in `.js`. */
const THREAD: URL = new URL(`./watching-thread${extname(import.meta.filename)}`, import.meta.url);

/**
 * Has a thread end this process when the event loop, which would have to notice anything else, does not turn for a
 * minute: systemd and containers start it again. Until it is disposed of.
 */
export function watchLoop(clock: Clock, logger: Pick<Logger, 'error'>): Disposable {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  // Neither the daemon's options nor its environment, where secrets may be, are any of the thread's business.
  const thread = new Worker(THREAD, { workerData: beats, env: {}, execArgv: [] });
  let isNeeded = true;
  function onEnd(error: unknown): void {
    if (!isNeeded) return;
    isNeeded = false;
    logger.error({ err: error }, 'Cannot watch the event loop: a process that hangs will not end by itself');
  }
  thread.on('error', onEnd);
  thread.once('exit', (code) => onEnd(new Error(`Its thread ended with code ${String(code)}`)));
  const cancel = beat(clock, LOOK_EVERY, () => void Atomics.add(beats, 0, 1));

  return {
    [Symbol.dispose]: () => {
      isNeeded = false;
      cancel();
      void thread.terminate();
    },
  };
}
