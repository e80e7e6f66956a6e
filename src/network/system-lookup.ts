import type { LookupAddress } from 'node:dns';
import { ProbeError } from './failure.ts';
import { getaddrinfo } from './getaddrinfo.ts';
import { createLimiter } from './limiter.ts';
import { unlessAborted } from './unless-aborted.ts';

export type Getaddrinfo = typeof getaddrinfo;

/** A lookup that may have been started by somebody else who wants the same name. */
export interface SharedLookup {
  readonly result: Promise<readonly LookupAddress[]>;
  /** It was already asked for: its failure may be older news. */
  readonly joined: boolean;
  /** Whether its turn has come. */
  readonly begun: () => boolean;
}

/**
 * The system's resolver, each name asked for at most once at a time. libuv runs two slow lookups at a time and none can
 * be called off: without sharing, each round under a silent resolver would leave another dead one in the queue. One for
 * the whole program.
 */
export interface SystemLookup {
  /**
   * @param signal of the caller: when it is aborted before its turn has come, the name is not asked for at
   * all
   */
  find(name: string, signal: AbortSignal): SharedLookup;
}

/** As many as libuv runs (a half of its four threads), so that it is known which of them waits for the others. */
const AT_ONCE = 2;

export function createSystemLookup(ask: Getaddrinfo = getaddrinfo): SystemLookup {
  const limiter = createLimiter(AT_ONCE);
  const outstanding = new Map<string, Omit<SharedLookup, 'joined'>>();
  return {
    find: (name, signal) => {
      const underWay = outstanding.get(name);
      if (underWay !== undefined) return { ...underWay, joined: true };
      let begun = false;
      const result = limiter
        .run(() => {
          begun = true;
          return ask(name);
        }, signal)
        .finally(() => outstanding.delete(name));
      // The caller may be gone by the time it fails.
      result.catch(() => {});
      const lookup = { result, begun: () => begun };
      outstanding.set(name, lookup);
      return { ...lookup, joined: false };
    },
  };
}

/**
 * Waits for a lookup, but not beyond the signal. A joined lookup that fails says how things were when somebody else
 * started it, so it is asked again once.
 * @throws the lookup's error, or the signal's reason; `ProbeError` `internal` when other names had not left it a turn
 * by then
 */
export async function lookUp(
  system: SystemLookup,
  name: string,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const first = system.find(name, signal);
  try {
    return await until(first, name, signal);
  } catch (error) {
    if (!first.joined || signal.aborted) throw error;
    return until(system.find(name, signal), name, signal);
  }
}

async function until(
  { result, begun }: SharedLookup,
  name: string,
  signal: AbortSignal,
): Promise<readonly LookupAddress[]> {
  try {
    return await unlessAborted(result, signal);
  } catch (error) {
    if (!signal.aborted || begun()) throw error;
    throw new ProbeError('internal', `"${name}" was not asked for: the system's resolver was busy with other names`, {
      cause: error,
    });
  }
}
