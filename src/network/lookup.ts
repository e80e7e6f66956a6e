import { type LookupAddress, lookup as lookupWithCallback } from 'node:dns';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';
import { ProbeError, errorCode, failureMessage, failureReason } from './failure.ts';
import { createLimiter } from './limiter.ts';
import { unlessAborted } from './context.ts';
import { encodeQuery, isDnsName } from './dns/message.ts';
import { hasRoute, sendOnce } from './udp-exchange.ts';
import { addressFamily, type HostPort } from '../core/addresses.ts';
import { isOfThisMachine } from '../core/observation.ts';
import type { Destination } from './connect.ts';

type Getaddrinfo = typeof getaddrinfo;

/**
 * Limits system resolver lookups to one per name at a time. libuv runs only two slow lookups concurrently, and lookups
 * cannot be cancelled. Without sharing, each round would queue another stuck lookup while the resolver is unresponsive.
 * The whole program uses one instance.
 * @throws the lookup's error, or the signal's reason; a `ProbeError` with reason `internal` if the lookup never started
 * because lookups for other names were queued first
 */
export type SystemLookup = (name: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

/**
 * Maximum number of concurrent slow lookups. libuv has the same limit (half of its four threads), so lookups wait in
 * this queue and not in libuv's hidden queue.
 */
const AT_ONCE = 2;

interface Outstanding {
  readonly result: Promise<readonly LookupAddress[]>;
  readonly isStarted: () => boolean;
}

export function createSystemLookup(ask: Getaddrinfo = getaddrinfo): SystemLookup {
  const limiter = createLimiter(AT_ONCE);
  const outstanding = new Map<string, Outstanding>();

  function enqueue(name: string, signal: AbortSignal): Outstanding {
    let isStarted = false;
    const result = limiter
      .run(() => {
        isStarted = true;
        return ask(name);
      }, signal)
      .finally(() => outstanding.delete(name));
    // The caller may have stopped waiting, and an unhandled rejection would terminate the process.
    result.catch(() => {});
    const lookup = { result, isStarted: () => isStarted };
    outstanding.set(name, lookup);
    return lookup;
  }

  async function wait(
    { result, isStarted }: Outstanding,
    name: string,
    signal: AbortSignal,
  ): Promise<readonly LookupAddress[]> {
    try {
      return await unlessAborted(result, signal);
    } catch (error) {
      if (!signal.aborted || isStarted()) throw error;
      throw new ProbeError('internal', `"${name}" was not looked up: the system resolver was busy with other names`, {
        cause: error,
      });
    }
  }

  return async (name, signal) => {
    const shared = outstanding.get(name);
    if (shared === undefined) return wait(enqueue(name, signal), name, signal);
    try {
      return await wait(shared, name, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // The failure of a lookup that another caller started may be outdated.
      return wait(outstanding.get(name) ?? enqueue(name, signal), name, signal);
    }
  };
}

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** Maximum number of name servers that glibc uses (MAXNS). Further name servers are ignored. */
const MAX_NAME_SERVERS = 3;

/**
 * @throws Node's error, `ENOTFOUND` or `EAI_AGAIN`; `ProbeError` when the fault is on this machine: `internal` if there
 * is no socket or no configured name server, `no-route` if nothing can be sent to any name server
 */
export async function getaddrinfo(name: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookup(name, { all: true, order: 'verbatim' });
  } catch (error) {
    throw (await localProblem(name, error)) ?? error;
  }
}

export const getaddrinfoForSockets: LookupFunction = (name, options, tell) => {
  lookupWithCallback(name, options, (error, ...found) => {
    if (error === null) tell(null, ...found);
    else void localProblem(name, error).then((trouble) => tell(trouble ?? error, []));
  });
};

/**
 * Returns the reason why this machine could not send the query, or null if the query could be sent. This check is
 * needed because glibc's errors are misleading. If no file descriptor is free, glibc 2.41 reports that the name does
 * not exist. If there is no free port, route or name server, glibc reports that no server answers. Never rejects.
 */
async function localProblem(name: string, error: unknown): Promise<ProbeError | null> {
  const lack = await lackOfSockets();
  if (lack !== null) {
    const message = `Cannot look up "${name}": cannot open a socket: ${failureMessage(lack)}`;
    return new ProbeError('internal', message, { cause: lack });
  }
  if (errorCode(error) !== 'EAI_AGAIN') return null;
  const servers = await nameServers();
  if (servers.length === 0)
    return new ProbeError('internal', `Cannot look up "${name}": ${RESOLV_CONF} contains no name server`, {
      cause: error,
    });
  // An actual DNS query is sent, because a firewall might treat other packets differently.
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

/** Returns an empty list if resolv.conf(5) does not exist. In this case, glibc queries 127.0.0.1. */
async function nameServers(): Promise<readonly string[]> {
  const text = await readFile(RESOLV_CONF, 'utf8').catch(() => '');
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gmu)]
    .map(([, address = '']) => address)
    .filter((address) => isIP(address) !== 0)
    .slice(0, MAX_NAME_SERVERS);
}

/**
 * Prefers the address family of the source address. Without a source address, prefers IPv4, unless this machine has
 * only a route to the IPv6 address.
 * @throws {ProbeError} `name-not-resolved`, or the reason why this machine could not send the query
 */
export async function locate(
  { host, port, sourceAddress }: HostPort & Pick<Destination, 'sourceAddress'>,
  system: SystemLookup,
  signal: AbortSignal,
): Promise<Destination> {
  if (isIP(host) !== 0) return { address: host, port, sourceAddress };
  try {
    const found = await system(host, signal);
    const addresses = found.map(({ address }) => address);
    const address = await chosenAddress(addresses, sourceAddress);
    if (address !== undefined) return { address, port, sourceAddress };
  } catch (error) {
    if (isOfThisMachine(failureReason(error))) throw error;
    throw notFound(host, failureMessage(error), error);
  }
  throw notFound(host, 'the name has no address');
}

async function chosenAddress(addresses: readonly string[], sourceAddress: string | null): Promise<string | undefined> {
  const family = sourceAddress === null ? 4 : addressFamily(sourceAddress);
  const usual = addresses.find((candidate) => addressFamily(candidate) === family) ?? addresses[0];
  const other = addresses.find((candidate) => addressFamily(candidate) !== family);
  if (sourceAddress !== null || usual === undefined || other === undefined) return usual;
  return !(await hasRoute(usual)) && (await hasRoute(other)) ? other : usual;
}

function notFound(host: string, why: string, cause?: unknown): ProbeError {
  return new ProbeError('name-not-resolved', `The system resolver cannot resolve the server name "${host}": ${why}`, {
    cause,
  });
}
