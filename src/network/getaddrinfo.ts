import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup as lookupWithCallback, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP, type LookupFunction } from 'node:net';

import { encodeQuery, isDnsName } from './dns/message.ts';
import { errorCode, failureMessage, ProbeError } from './failure.ts';
import { sendOnce } from './udp-exchange.ts';

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
