import { Resolver } from 'node:dns/promises';
import { connect } from 'node:tls';
import type { Identity } from './identity.ts';

/** Result of a connection to the licence server. */
export type PollingOutcome = 'answered' | 'name' | 'timeout' | 'connection' | 'tls';

export interface PollingRoute {
  readonly host: string;
  readonly port: number;
  /** Port on 127.0.0.1. */
  readonly resolverPort: number;
  /** The only authority that it accepts, as FortiAuthenticator does. */
  readonly authority: Identity;
}

const PATIENCE_MS = 1_500;

/**
 * Connects to the licence server as FortiAuthenticator does: with the same resolver and firewall, trusting only
 * Fortinet's authority.
 */
export async function pollLicenseServer({
  host,
  port,
  resolverPort,
  authority,
}: PollingRoute): Promise<PollingOutcome> {
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([`127.0.0.1:${String(resolverPort)}`]);
  const [address] = await resolver.resolve4(host).catch(() => []);
  if (address === undefined) return 'name';
  // Whatever address a false answer contains, nothing here connects to any other machine.
  if (!address.startsWith('127.')) return 'timeout';
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, servername: host, ca: authority.pem, timeout: PATIENCE_MS });
    const end = (outcome: PollingOutcome): void => {
      resolve(outcome);
      socket.destroy();
    };
    socket.once('secureConnect', () => {
      end('answered');
    });
    socket.once('timeout', () => {
      end('timeout');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ECONNREFUSED' ? 'connection' : 'tls');
    });
  });
}
