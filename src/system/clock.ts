import type { Clock, Millis } from '../core/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delay`. Rejects with the signal's reason as soon as the signal is aborted. */
export function sleep(clock: Clock, delay: Millis, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const cancel = clock.after(delay, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    function onAbort(): void {
      cancel();
      reject(reasonOf(signal));
    }
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * Resolves with the promise's value, or with null if the promise takes longer than `time`. Does not cancel the
 * operation.
 */
export function within<T>(promise: Promise<T>, time: Millis, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(time, () => resolve(null));
    promise.finally(cancel).then(resolve, reject);
  });
}

/** An abort signal with a time limit. The signal is aborted after a delay or when its parent is aborted. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Returns true if the time limit was reached, and false if the parent was aborted. */
  expired(): boolean;
}

/** Abort reason of a signal whose time limit was reached. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Creates a deadline derived from `parent`. Always dispose of the deadline (`using`). Otherwise, the deadline's
 * listener stays on the parent signal. In a long-running process, this is a memory leak.
 */
export function deadline(clock: Clock, delay: Millis, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  const cancel = clock.after(delay, () => {
    expired = true;
    controller.abort(new DeadlineError(`No result within ${String(delay)} ms`));
  });
  function onParent(): void {
    controller.abort(parent.reason);
  }
  if (parent.aborted) onParent();
  else parent.addEventListener('abort', onParent, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    [Symbol.dispose]: () => {
      cancel();
      parent.removeEventListener('abort', onParent);
    },
  };
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('Aborted', { cause: signal.reason });
}

/**
 * Interval for periodic checks that are not urgent. All such checks run at the same times ({@link beat}), so that an
 * idle daemon wakes only four times a minute.
 */
export const IDLE_BEAT: Millis = 15_000;

/**
 * Calls `call` repeatedly at multiples of `every` on the monotonic clock, until the returned function is called.
 * Because of the multiples, all beats wake the process at the same times. Wake-ups account for most of an idle daemon's
 * CPU time.
 *
 * @param call receives the time at which the call was due
 */
export function beat(clock: Clock, every: Millis, call: (due: Millis) => void): () => void {
  let cancel = next();

  function next(): () => void {
    const now = clock.elapsed();
    const due = nextBeat(now, every);
    // The delay is rounded up, because timers use whole milliseconds, and a timer that fires early would fire twice.
    return clock.after(Math.ceil(due - now), () => {
      cancel = next();
      call(due);
    });
  }

  return () => cancel();
}

/** Returns the first multiple of `every` after `now`. */
export function nextBeat(now: Millis, every: Millis): Millis {
  return (Math.floor(now / every) + 1) * every;
}

/**
 * Resolves in the next turn of the event loop. Long tasks must await this function regularly, so that they do not block
 * other work.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Returns a function that lets one caller continue per turn of the event loop, in the order of the calls. This prevents
 * many callers that wait for the same event from continuing in the same turn.
 */
export function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
