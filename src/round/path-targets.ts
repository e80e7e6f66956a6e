import { isIP } from 'node:net';
import type { HostPort } from '../core/addresses.ts';
import type { ServiceConfig, PathSettings } from '../config/schema/path.ts';
import type { PathTarget } from './path.ts';

/** Which way the licence server is reached. */
type Way = Pick<PathSettings, 'licenseServer' | 'resolvers'>;

/** The licence server, asked as FortiAuthenticator does. */
export function licenseTarget({ licenseServer, resolvers }: Way): PathTarget {
  return { ...licenseServer, depth: 'http', method: 'GET', resolvers };
}

export function serviceTarget(service: ServiceConfig, way: Way): PathTarget {
  return { ...straightTarget(service, way), ...service, proxy: way.licenseServer.proxy, expectedAddresses: [] };
}

/** For what may have any address: the way out, or a host of your own. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/**
 * Control hosts are reached the way that the licence server is, so that they tell of the same path. They prove that the
 * way out is open, wherever their names lead; false answers are judged by the name that matters.
 */
export function controlTarget(target: HostPort, way: Way): PathTarget {
  return { ...straightTarget(target, way), serverName: target.host, method: 'HEAD', proxy: way.licenseServer.proxy };
}

/** A host that is reached without the proxy, such as one of the same network. */
export function straightTarget({ host, port }: HostPort, { resolvers }: Pick<Way, 'resolvers'>): PathTarget {
  return {
    host,
    port,
    serverName: isIP(host) === 0 ? host : null,
    depth: 'http',
    path: '/',
    method: 'GET',
    proxy: null,
    expectedAddresses: ANY_ADDRESS,
    family: 'auto',
    resolvers,
  };
}
