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

/** Resolves with the promise's value, or with null if the promise takes too long. Nothing is cancelled. */
export function within<T>(promise: Promise<T>, time: Millis, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(time, () => resolve(null));
    promise.finally(cancel).then(resolve, reject);
  });
}

/** A signal that is aborted after a delay or together with its parent. It can be released early. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Returns true if the time limit was reached, and false if the parent was aborted. */
  expired(): boolean;
}

/** Reason of a signal that was aborted because its time limit was reached. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Creates a deadline derived from `parent`. Always dispose of it (`using`). Otherwise, a listener stays on the parent,
 * which is a memory leak in a process that runs for weeks.
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
 * Interval of checks for which seconds don't matter. They all happen at the same times ({@link beat}), so that an idle
 * daemon wakes four times a minute.
 */
export const IDLE_BEAT: Millis = 15_000;

/**
 * Calls the function repeatedly at whole multiples of `every` on the monotonic clock, until the returned function is
 * called. All beats wake the process at the same times, because wake-ups are the largest cost of an idle daemon.
 *
 * @param call its argument is the time at which the call was due
 */
export function beat(clock: Clock, every: Millis, call: (due: Millis) => void): () => void {
  let cancel = next();

  function next(): () => void {
    const now = clock.elapsed();
    const due = nextBeat(now, every);
    // Timers use whole milliseconds. A timer that fires early would fire twice.
    return clock.after(Math.ceil(due - now), () => {
      cancel = next();
      call(due);
    });
  }

  return () => cancel();
}

/** Returns the next whole multiple of `every` after `now`. */
export function nextBeat(now: Millis, every: Millis): Millis {
  return (Math.floor(now / every) + 1) * every;
}

/**
 * Resolves after other work in this turn of the event loop. Long tasks must call this function regularly, so that they
 * do not block other work.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Returns a function that lets one caller continue in each turn, in the order of the calls. Callers that waited for the
 * same event then do not continue at the same time.
 */
export function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
