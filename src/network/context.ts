import type { Clock } from '../core/clock.ts';
import { abortError } from './failure.ts';

/** Dependencies that all probes share. */
export interface ProbeContext {
  readonly clock: Clock;
  /** Aborted when the round is cancelled, either by a shutdown or by the round's time limit. */
  readonly signal: AbortSignal;
  /** Local address for probes. If null, the kernel chooses an address. */
  readonly sourceAddress: string | null;
  /** Environment for secrets that are configured as environment variables. */
  readonly env: NodeJS.ProcessEnv;
}

/** Returns the promise's result, or rejects as soon as the signal is aborted. @throws the signal's reason */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // The handlers are attached even if the signal was already aborted, because an unhandled rejection would terminate
    // the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
