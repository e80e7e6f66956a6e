import { write } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { systemClock } from '../../system/clock.ts';
import { afterLook, LOOK_EVERY, MOST_MISSED, type Watched } from './missed-looks.ts';

if (workerData instanceof Int32Array) watch(workerData);

/** Ends the process as soon as `beats` has not changed for too many looks. */
function watch(beats: Int32Array): void {
  let watched: Watched = { beats: Atomics.load(beats, 0), missed: 0 };
  while (watched.missed < MOST_MISSED) {
    const before = systemClock.elapsed();
    waitFor(LOOK_EVERY);
    watched = afterLook(watched, { beats: Atomics.load(beats, 0), after: systemClock.elapsed() - before });
  }
  tell();
  // The whole process: exit() would end this thread alone, and other signals are handled by the loop.
  process.kill(process.pid, 'SIGKILL');
}

/** A line of the daemon's log. Not waited for: what reads the log may be what the loop hangs on. */
function tell(): void {
  const time = new Date(systemClock.now()).toISOString();
  const msg = 'The event loop has not turned for a minute: this process ends, to be started again';
  write(1, `${JSON.stringify({ level: 60, time, msg })}\n`, () => undefined);
  waitFor(1_000);
}

/** Without an event loop of its own, which would have to be woken and cost memory. */
function waitFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, milliseconds);
}
