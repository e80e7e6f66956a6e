import { isMainThread } from 'node:worker_threads';

/** Loaded before the program with `--import`. At SIGUSR2, it blocks the event loop of the main thread. */
if (isMainThread) {
  process.on('SIGUSR2', () => {
    for (;;);
  });
}
