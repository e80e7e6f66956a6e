import type { LookupAddress } from 'node:dns';
import { abortError } from '../failure.ts';
import { getaddrinfo } from '../getaddrinfo.ts';

export type Getaddrinfo = typeof getaddrinfo;

/** A lookup that may have been started by somebody else who wants the same name. */
export interface SharedLookup {
  readonly result: Promise<readonly LookupAddress[]>;
  /** It was already under way when it was asked for: its failure may be older news. */
  readonly joined: boolean;
}

/**
 * The system's resolver, each name asked for at most once at a time. libuv runs two slow lookups at a time and none can
 * be called off: without sharing, each round under a silent resolver would leave another dead one in the queue. One for
 * the whole program.
 */
export interface SystemLookup {
  find(name: string): SharedLookup;
}

export function createSystemLookup(ask: Getaddrinfo = getaddrinfo): SystemLookup {
  const outstanding = new Map<string, Promise<readonly LookupAddress[]>>();
  return {
    find: (name) => {
      const underWay = outstanding.get(name);
      if (underWay !== undefined) return { result: underWay, joined: true };
      const result = ask(name).finally(() => outstanding.delete(name));
      // Whoever waits for it may be gone by the time it fails.
      result.catch(() => {});
      outstanding.set(name, result);
      return { result, joined: false };
    },
  };
}

/**
 * Waits for a lookup, but not beyond the signal. A joined lookup that fails says how things were when somebody else
 * started it, so it is asked again once.
 * @throws the lookup's error, or the signal's reason
 */
export async function lookUp(system: SystemLookup, name: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
  const first = system.find(name);
  try {
    return await until(first.result, signal);
  } catch (error) {
    if (!first.joined || signal.aborted) throw error;
    return until(system.find(name).result, signal);
  }
}

function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    function onAbort(): void {
      reject(abortError(signal));
    }
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
