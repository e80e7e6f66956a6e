import { isIP } from 'node:net';

import type { Config } from '../../config/config.ts';
import type { HostPort } from '../../config/host-port.ts';
import type { PathTarget } from './observe-path.ts';

/** The licence server, asked as FortiAuthenticator does. */
export function licenseTarget({ licenseServer, resolvers }: Config): PathTarget {
  return { ...licenseServer, depth: 'http', method: 'GET', resolvers };
}

export function serviceTarget(service: Config['services'][number], { licenseServer, resolvers }: Config): PathTarget {
  return {
    ...service,
    depth: 'http',
    path: '/',
    method: 'GET',
    proxy: licenseServer.proxy,
    expectedAddresses: [],
    family: 'auto',
    resolvers,
  };
}

/** For what may have any address: the way out, or a host of your own. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/**
 * Control hosts are reached the way that the licence server is, so that they tell of the same path. They prove that the
 * way out is open, wherever their names lead; false answers are judged by the name that matters.
 */
export function controlTarget({ host, port }: HostPort, { licenseServer, resolvers }: Config): PathTarget {
  return {
    host,
    port,
    serverName: host,
    depth: 'http',
    path: '/',
    method: 'HEAD',
    proxy: licenseServer.proxy,
    expectedAddresses: ANY_ADDRESS,
    family: 'auto',
    resolvers,
  };
}

/** A host that is reached without the proxy, such as one of the same network. */
export function straightTarget({ host, port }: HostPort, { resolvers }: Config): PathTarget {
  const serverName = isIP(host) === 0 ? host : null;
  return {
    host,
    port,
    serverName,
    depth: 'http',
    path: '/',
    method: 'GET',
    proxy: null,
    expectedAddresses: ANY_ADDRESS,
    family: 'auto',
    resolvers,
  };
}
