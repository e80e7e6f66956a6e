import type { Clock } from '../core/clock.ts';
import { abortError } from './failure.ts';

/** What every probe needs besides its own target. */
export interface ProbeContext {
  readonly clock: Clock;
  /** Aborted when the round is called off (shutdown, or the round's own time is up). */
  readonly signal: AbortSignal;
  /** The local address that probes leave from; null lets the kernel choose. */
  readonly sourceAddress: string | null;
  /** Where secrets named by variable are read from. */
  readonly env: NodeJS.ProcessEnv;
}

/** What the promise gives, but not beyond the signal. @throws its reason then */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // Heard in any case: a failure that nobody hears ends the process.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
