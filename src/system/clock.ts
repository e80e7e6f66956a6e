import type { Clock, Millis } from '../core/clock.ts';

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delay, callback) => {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delay`; rejects with the signal's reason as soon as the signal is aborted. */
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

/** What the promise gives; null: not in time, and nothing is called off. */
export function within<T>(promise: Promise<T>, time: Millis, clock: Clock): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(time, () => resolve(null));
    promise.finally(cancel).then(resolve, reject);
  });
}

/** A signal that aborts after a while or with its parent, and that can be released early. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** True once the time ran out (and not merely because the parent was aborted). */
  expired(): boolean;
}

/** The reason of a signal whose time ran out. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * A deadline derived from `parent`. Dispose it in every case (`using`): an undisposed one leaves a listener on the
 * parent, which leaks in a process that runs for weeks.
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
 * Calls again and again, until the returned function is called: at whole multiples of `every` on the monotonic clock,
 * so that all that beats wakes the process at the same moments. An idle daemon spends most on waking up.
 *
 * @param call with the moment at which it was due
 */
export function beat(clock: Clock, every: Millis, call: (due: Millis) => void): () => void {
  let cancel = next();

  function next(): () => void {
    const now = clock.elapsed();
    const due = (Math.floor(now / every) + 1) * every;
    // Timers count whole milliseconds, and one that came too early would come twice.
    return clock.after(Math.ceil(due - now), () => {
      cancel = next();
      call(due);
    });
  }

  return () => cancel();
}

/**
 * Resolves after what else is due in this turn of the event loop: long work calls it now and then, and holds nothing
 * up.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets one caller go on in each turn, in the order of their calls: what waited for the same event does not act on it at
 * the same time.
 */
export function oneATurn(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(nextTurn);
    return last;
  };
}
