import { write } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { systemClock } from '../../system/clock.ts';
import { afterLook, LOOK_EVERY, MOST_MISSED, type Watched } from './missed-looks.ts';

if (workerData instanceof Int32Array) watch(workerData);

/** Ends the process when `beats` has not changed for too many checks. */
function watch(beats: Int32Array): void {
  let watched: Watched = { beats: Atomics.load(beats, 0), missed: 0 };
  while (watched.missed < MOST_MISSED) {
    const before = systemClock.elapsed();
    waitFor(LOOK_EVERY);
    watched = afterLook(watched, { beats: Atomics.load(beats, 0), after: systemClock.elapsed() - before });
  }
  tell();
  // Kills the whole process. exit() would end only this thread, and other signals are handled in the event loop.
  process.kill(process.pid, 'SIGKILL');
}

/** Writes a line to the daemon's log without waiting. The loop may be blocked by the reader of the log. */
function tell(): void {
  const time = new Date(systemClock.now()).toISOString();
  const msg = 'The event loop has been blocked for a minute. The process ends, so that it can be restarted';
  write(1, `${JSON.stringify({ level: 60, time, msg })}\n`, () => undefined);
  waitFor(1_000);
}

/** Waits without an event loop. An event loop would have to be woken up and would cost memory. */
function waitFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, milliseconds);
}
