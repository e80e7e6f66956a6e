import { createSocket } from 'node:dgram';
import { lookup as lookupWithCallback, type LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

import { failureMessage, ProbeError } from './failure.ts';

/**
 * getaddrinfo for both families, as every other program on this machine asks.
 * @throws Node's error, `ENOTFOUND`, `EAI_AGAIN`; `ProbeError` `internal` when this process had no socket left to ask
 * with
 */
export async function getaddrinfo(name: string): Promise<readonly LookupAddress[]> {
  try {
    return await lookup(name, { all: true, order: 'verbatim' });
  } catch (error) {
    const lack = Promise.withResolvers<ProbeError | null>();
    lookForSockets(name, lack.resolve);
    throw (await lack.promise) ?? error;
  }
}

/** The same for `net.connect`, and for whatever is built on it. */
export const getaddrinfoForSockets: LookupFunction = (name, options, done) => {
  lookupWithCallback(name, options, (error, ...found) => {
    if (error === null) done(null, ...found);
    else lookForSockets(name, (lack) => done(lack ?? error, []));
  });
};

/**
 * Without a file descriptor glibc 2.41 says that the name does not exist, and without a free port that no server
 * answers: lies about the name. Whether a socket can be had tells them from the truth.
 */
function lookForSockets(name: string, told: (lack: ProbeError | null) => void): void {
  const socket = createSocket('udp4');
  socket.once('error', (cause) => {
    socket.close();
    told(
      new ProbeError('internal', `Cannot look up "${name}": no socket is left to ask with: ${failureMessage(cause)}`, {
        cause,
      }),
    );
  });
  socket.bind(0, () => {
    socket.close();
    told(null);
  });
}
