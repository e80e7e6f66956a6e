import type { Clock } from '../core/clock.ts';
import { abortError } from './failure.ts';

/** Dependencies that every probe needs in addition to its target. */
export interface ProbeContext {
  readonly clock: Clock;
  /** Aborted when the round is cancelled (shutdown, or the round's time limit has passed). */
  readonly signal: AbortSignal;
  /** Local address for probes; null lets the kernel choose. */
  readonly sourceAddress: string | null;
  /** Environment from which secrets given as variables are read. */
  readonly env: NodeJS.ProcessEnv;
}

/** Returns the promise's result, but rejects as soon as the signal is aborted. @throws the signal's reason */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // Always attached, because an unhandled rejection ends the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
