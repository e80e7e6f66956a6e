import type { Clock } from '../core/clock.ts';
import { abortError } from './failure.ts';

export interface ProbeContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly sourceAddress: string | null;
}

/** Returns the promise's result, or rejects as soon as the signal is aborted. @throws the signal's reason */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // The handlers are attached even after an abort, because an unhandled rejection would terminate the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
