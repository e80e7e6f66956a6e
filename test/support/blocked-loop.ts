import { isMainThread } from 'node:worker_threads';

/** To be loaded before the program, with `--import`: at SIGUSR2 the event loop of the main thread turns no more. */
if (isMainThread) {
  process.on('SIGUSR2', () => {
    for (;;);
  });
}
