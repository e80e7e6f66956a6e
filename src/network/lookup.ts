import { type LookupAddress, lookup as lookupWithCallback } from 'node:dns';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';
import { ProbeError, errorCode, failureMessage, failureReason, abortError } from './failure.ts';
import { unlessAborted } from './context.ts';
import { encodeQuery, isDnsName } from './dns/message.ts';
import { sendOnce } from './udp-exchange.ts';
import { addressFamily } from '../core/addresses.ts';
import { isOfThisMachine } from '../core/observation.ts';
import type { Destination } from './connect.ts';

type Getaddrinfo = typeof getaddrinfo;

/** A lookup that may have been started by another caller for the same name. */
interface SharedLookup {
  readonly result: Promise<readonly LookupAddress[]>;
  /** Whether the lookup was already running when it was requested. Its failure may be outdated. */
  readonly joined: boolean;
  /** Whether the lookup has started. */
  readonly begun: () => boolean;
}

/**
 * System resolver with at most one lookup per name at a time. libuv runs two slow lookups at once, and lookups cannot
 * be cancelled. Without sharing, each round with a silent resolver would add another stuck lookup to the queue. One
 * instance is used for the whole program.
 */
export interface SystemLookup {
  /** @param signal of the caller; if it is aborted before the lookup starts, the name is not looked up */
  find(name: string, signal: AbortSignal): SharedLookup;
}

/** libuv's own limit (half of its four threads), so that we can tell which lookups are still queued. */
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
      // The caller may no longer be waiting when it fails.
      result.catch(() => {});
      const lookup = { result, begun: () => begun };
      outstanding.set(name, lookup);
      return { ...lookup, joined: false };
    },
  };
}

/**
 * Waits for a lookup until the signal is aborted. If a shared lookup fails, its result may be outdated, so the name is
 * looked up again once.
 * @throws the lookup's error, or the signal's reason; `ProbeError` `internal` if lookups of other names kept it from
 * starting
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

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** glibc's MAXNS; further name servers are ignored. */
const MAX_NAME_SERVERS = 3;

/**
 * Calls getaddrinfo for both families, as every other program on this machine does.
 * @throws Node's error, `ENOTFOUND`, `EAI_AGAIN`; `ProbeError` when the fault is on this machine: `internal` without a
 * socket or a configured name server, `no-route` when nothing can be sent to any name server
 */
export async function getaddrinfo(name: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookup(name, { all: true, order: 'verbatim' });
  } catch (error) {
    throw (await ownTrouble(name, error)) ?? error;
  }
}

/** Equivalent of `getaddrinfo` for sockets of `node:net` and `node:dgram` and libraries that use them. */
export const getaddrinfoForSockets: LookupFunction = (name, options, tell) => {
  lookupWithCallback(name, options, (error, ...found) => {
    if (error === null) tell(null, ...found);
    else void ownTrouble(name, error).then((trouble) => tell(trouble ?? error, []));
  });
};

/**
 * Returns the reason why this machine could not send the question; null if it could. Without a file descriptor, glibc
 * 2.41 reports that the name does not exist. Without a free port, a route or a name server, it reports that no server
 * answers. Never rejects.
 */
async function ownTrouble(name: string, error: unknown): Promise<ProbeError | null> {
  const lack = await lackOfSockets();
  if (lack !== null) {
    const message = `Cannot look up "${name}": no socket is left to ask with: ${failureMessage(lack)}`;
    return new ProbeError('internal', message, { cause: lack });
  }
  if (errorCode(error) !== 'EAI_AGAIN') return null;
  const servers = await nameServers();
  if (servers.length === 0)
    return new ProbeError('internal', `Cannot look up "${name}": ${RESOLV_CONF} contains no name server`, {
      cause: error,
    });
  // Sends the question itself again, because another packet might be filtered differently.
  const question = isDnsName(name) ? encodeQuery({ id: randomInt(0x1_0000), name, type: 'A' }, false) : null;
  if (question === null) return null;
  const failures = await Promise.all(
    servers.map((address) => sendOnce({ address, port: DNS_PORT, sourceAddress: null }, question.bytes)),
  );
  const [first = null] = failures;
  if (first === null || failures.includes(null)) return null;
  const message = `Cannot look up "${name}": cannot send to ${servers.join(', ')}: ${failureMessage(first)}`;
  return new ProbeError('no-route', message, { cause: first });
}

function lackOfSockets(): Promise<Error | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', (error) => {
      resolve(error);
      socket.close();
    });
    socket.bind(0, () => {
      resolve(null);
      socket.close();
    });
  });
}

/**
 * Reads name servers from resolv.conf(5). Returns none without that file; glibc then asks 127.0.0.1, as with an empty
 * file.
 */
async function nameServers(): Promise<readonly string[]> {
  const text = await readFile(RESOLV_CONF, 'utf8').catch(() => '');
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gmu)]
    .map(([, address = '']) => address)
    .filter((address) => isIP(address) !== 0)
    .slice(0, MAX_NAME_SERVERS);
}

interface Located {
  readonly host: string;
  readonly port: number;
  readonly sourceAddress: string | null;
}

/**
 * Returns the address of a resolver or time server that probes use. A literal address is returned as is; a name is
 * looked up through the system. Prefers IPv4, or the family of the source address. Returns only one address, because
 * one attempt is enough.
 * @throws {ProbeError} `name-not-resolved`, or why this machine could not ask
 */
export async function locate(
  { host, port, sourceAddress }: Located,
  system: SystemLookup,
  signal: AbortSignal,
): Promise<Destination> {
  if (isIP(host) !== 0) return { address: host, port, sourceAddress };
  try {
    const found = await lookUp(system, host, signal);
    const addresses = found.map(({ address }) => address);
    const family = sourceAddress === null ? 4 : addressFamily(sourceAddress);
    const address = addresses.find((candidate) => addressFamily(candidate) === family) ?? addresses[0];
    if (address !== undefined) return { address, port, sourceAddress };
  } catch (error) {
    if (isOfThisMachine(failureReason(error))) throw error;
    throw notFound(host, failureMessage(error), error);
  }
  throw notFound(host, 'it has no address');
}

function notFound(host: string, why: string, cause?: unknown): ProbeError {
  return new ProbeError('name-not-resolved', `The system does not resolve the server's own name "${host}": ${why}`, {
    cause,
  });
}

/**
 * Limits the number of tasks that run at once; the others wait in order of arrival. Concurrent handshakes on one thread
 * distort each other's timings: with 1000 at once Node reports a median of 950 ms instead of 4, with four in flight 7.
 */
export interface Limiter {
  /**
   * Runs `task` when a slot is free.
   * @throws the signal's reason if it is aborted before the task has started; a started task must handle the signal
   * itself
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/** @param limit maximum number of running tasks, at least 1 */
export function createLimiter(limit: number): Limiter {
  if (!Number.isInteger(limit) || limit < 1)
    throw new RangeError(`Cannot limit tasks: expected at least 1 at once, got ${String(limit)}`);
  const queue = new Set<() => void>();
  let running = 0;

  function room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (running < limit) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      function enter(): void {
        signal.removeEventListener('abort', leave);
        resolve();
      }
      function leave(): void {
        queue.delete(enter);
        reject(abortError(signal));
      }
      queue.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Passes the slot directly to the next waiting task, so that a new caller cannot take it first. */
  function release(): void {
    const [next] = queue;
    if (next === undefined) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  }

  return {
    get running(): number {
      return running;
    },
    get waiting(): number {
      return queue.size;
    },
    async run(task, signal) {
      await room(signal);
      try {
        return await task();
      } finally {
        release();
      }
    },
  };
}
