import { abortError } from './failure.ts';

/**
 * Lets at most so many tasks run at once; the others wait in the order in which they came. Handshakes that are due at
 * the same instant falsify each other's timings on one thread: with 1000 at once Node reports a median of 950 ms
 * instead of 4, with four in flight 7.
 */
export interface Limiter {
  /**
   * Runs `task` when there is room.
   * @throws the signal's reason when it is aborted before the task has started; afterwards the task itself is to honour
   * it
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/** @param limit how many may run at once, at least 1 */
export function createLimiter(limit: number): Limiter {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`Cannot limit tasks: expected at least 1 at once, got ${String(limit)}`);
  const queue = new Set<() => void>();
  let running = 0;

  function room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (running < limit) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      function enter(): void {
        signal.removeEventListener('abort', leave);
        resolve();
      }
      function leave(): void {
        queue.delete(enter);
        reject(abortError(signal));
      }
      queue.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** The place is handed on, not given back, so that nobody who comes just now gets in first. */
  function release(): void {
    const [next] = queue;
    if (next === undefined) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  }

  return {
    get running(): number {
      return running;
    },
    get waiting(): number {
      return queue.size;
    },
    async run(task, signal) {
      await room(signal);
      try {
        return await task();
      } finally {
        release();
      }
    },
  };
}
