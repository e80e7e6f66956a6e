import { abortError } from './failure.ts';

/**
 * Limits the number of concurrent tasks. Other tasks wait in order of arrival. The limit is needed because concurrent
 * handshakes on one thread distort each other's measured times. In Node, the median time is 4 ms for a single
 * handshake, 7 ms for four concurrent handshakes, and 950 ms for 1000.
 */
export interface Limiter {
  /**
   * @throws the signal's reason if the signal is aborted before the task has started; the task itself handles later
   * aborts
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly waiting: number;
}

export function createLimiter(limit: number): Limiter {
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

  /** Passes the slot directly to the next waiting task, so that a new task cannot take the slot first. */
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
