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

export type Getaddrinfo = typeof getaddrinfo;

/** A lookup that may have been started by somebody else who wants the same name. */
interface SharedLookup {
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

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** glibc's MAXNS: it ignores further ones. */
const MAX_NAME_SERVERS = 3;

/**
 * getaddrinfo for both families, as every other program on this machine asks.
 * @throws Node's error, `ENOTFOUND`, `EAI_AGAIN`; `ProbeError` when the fault is this machine's: `internal` without a
 * socket or a configured name server, `no-route` when nothing can be sent to any name server
 */
export async function getaddrinfo(name: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookup(name, { all: true, order: 'verbatim' });
  } catch (error) {
    throw (await ownTrouble(name, error)) ?? error;
  }
}

/** The same for sockets of `node:net` and `node:dgram`, and for whatever is built on them. */
export const getaddrinfoForSockets: LookupFunction = (name, options, tell) => {
  lookupWithCallback(name, options, (error, ...found) => {
    if (error === null) tell(null, ...found);
    else void ownTrouble(name, error).then((trouble) => tell(trouble ?? error, []));
  });
};

/**
 * Why this machine could not ask; null when it could. Without a file descriptor glibc 2.41 says that the name does not
 * exist, and without a free port, a route or a name server that no server answers. Never rejects.
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
  // The question itself, once more: another packet could be filtered differently.
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

/** resolv.conf(5). None when there is no such file: glibc then asks 127.0.0.1, as with an empty one. */
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
 * Where to dial a helper of the probes (a resolver, a time server): a literal address as it is, a name through the
 * system. IPv4 is preferred, or the family of the source address; one address only, since what is wanted is one honest
 * attempt.
 * @throws {ProbeError} `name-not-resolved`, or what kept this machine from asking
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
 * Lets at most so many tasks run at once; the others wait in the order in which they came. Handshakes that are due at
 * the same instant falsify each other's timings on one thread: with 1000 at once Node reports a median of 950 ms
 * instead of 4, with four in flight 7.
 */
export interface Limiter {
  /**
   * Runs `task` when there is room.
   * @throws the signal's reason when it is aborted before the task has started; afterwards the task itself is to honour
   * it
   */
  run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

/** @param limit how many may run at once, at least 1 */
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

  /** The place is handed on, not given back, so that nobody who comes just now gets in first. */
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
