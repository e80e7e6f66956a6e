import type { Clock, Millis } from '../core/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

/** Rejects with the signal's reason as soon as the signal is aborted. */
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

/** Resolves with null if the promise takes longer than `time`. Does not cancel the operation. */
export function within<T>(promise: Promise<T>, time: Millis, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(time, () => resolve(null));
    promise.finally(cancel).then(resolve, reject);
  });
}

/** A signal that is aborted after a delay or when the parent is aborted. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** False if the parent was aborted. */
  expired(): boolean;
}

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Always dispose of the deadline (`using`). Otherwise, its listener stays on the parent signal, which is a memory leak
 * in a long-running process.
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
 * The interval for checks that are not urgent. They all run at the same times ({@link beat}), so that an idle daemon
 * wakes only four times a minute.
 */
export const IDLE_BEAT: Millis = 15_000;

/**
 * Calls `call` at multiples of `every` on the monotonic clock, so that all beats wake the process at the same times.
 * Wake-ups account for most of an idle daemon's CPU time.
 * @param call receives the time at which the call was due
 */
export function beat(clock: Clock, every: Millis, call: (due: Millis) => void): () => void {
  let cancel = next();

  function next(): () => void {
    const now = clock.elapsed();
    const due = nextBeat(now, every);
    // The delay is rounded up, because timers use whole milliseconds, and a timer that fires too early would fire again
    // for the same beat.
    return clock.after(Math.ceil(due - now), () => {
      cancel = next();
      call(due);
    });
  }

  return () => cancel();
}

export function nextBeat(now: Millis, every: Millis): Millis {
  return (Math.floor(now / every) + 1) * every;
}

/** Long tasks must await this function regularly to avoid blocking other work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets one caller continue per turn of the event loop, in the order of the calls. Otherwise, all callers that wait for
 * the same event would continue in the same turn.
 */
export function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
