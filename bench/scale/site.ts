/**
 * A program: everything that the daemon of the scale bench talks to, in a process of its own. A resolver, one listener
 * that is many TLS servers (each name has its address and its certificate), and one that is many
 * FortiAuthenticators. Sends its parent what it is reached by, and ends with it.
 */
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { createFortiAuthenticator } from '../../test/lab/fortiauthenticator.ts';
import { chainPem, createHierarchy, createIdentity } from '../../test/support/authority.ts';
import { createDnsServer, reply } from '../../test/support/dns-server.ts';
import { addressOf, hostNames } from './network.ts';

/** What a bench needs to know of the site. */
export interface Site {
  readonly dnsPort: number;
  readonly tlsPort: number;
  readonly rootPem: string;
  readonly appliancePort: number;
  readonly appliancePem: string;
  readonly user: string;
  readonly key: string;
}

/** Everything is this far away: a probe waits for the network most of its time. */
const ROUND_TRIP_MS = 20;

async function serve(targets: number): Promise<Site> {
  const names = hostNames(targets);
  const { root, intermediate, leaf } = await createHierarchy();
  const certificates = new Map<string, SecureContext>();
  for (const name of names) {
    // One key for all: making many takes longer than the bench. The certificates differ.
    const identity = await createIdentity({
      name: `CN=${name}`,
      issuer: intermediate,
      dnsNames: [name],
      keys: leaf.keys,
    });
    certificates.set(name, createSecureContext({ cert: chainPem(identity, intermediate), key: identity.keyPem }));
  }
  const addresses = new Map(names.map((name, index) => [name, addressOf('target', index)]));
  const dns = await createDnsServer((asked) => {
    const address = addresses.get(asked.name.toLowerCase());
    if (address === undefined) return reply(asked, [], { rcode: 3 });
    return reply(asked, asked.type === 'A' ? [{ type: 'A', name: asked.name, ttl: 300, data: address }] : []);
  });
  const https = createHttpsServer(
    {
      cert: chainPem(leaf, intermediate),
      key: leaf.keyPem,
      SNICallback: (name, done) => {
        done(null, certificates.get(name));
      },
    },
    (_request, response) => {
      response.writeHead(200, { connection: 'close' }).end();
    },
  ).on('tlsClientError', () => undefined);
  const listener = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    setTimeout(() => {
      https.emit('connection', socket);
    }, ROUND_TRIP_MS);
  }).listen({ port: 0, host: '0.0.0.0', backlog: 4096 });
  await once(listener, 'listening');
  const appliance = await createFortiAuthenticator({ address: '0.0.0.0' });
  return {
    dnsPort: dns.port,
    tlsPort: (listener.address() as AddressInfo).port,
    rootPem: root.pem,
    appliancePort: Number(new URL(appliance.url).port),
    appliancePem: appliance.identity.pem,
    user: appliance.state.user,
    key: appliance.state.key,
  };
}

process.once('disconnect', () => process.exit());
process.send?.(await serve(Number(process.argv[2])));
