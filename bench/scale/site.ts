/**
 * A program with everything that the daemon of the scale bench connects to, in a separate process: a resolver, a
 * listener that acts as many TLS servers (each name has its own address and certificate), and a listener that acts as
 * many FortiAuthenticators. Sends its parent the addresses, and exits with it.
 */
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { createFortiAuthenticator } from '../../src/demo/lab/fortiauthenticator.ts';
import { createHierarchy } from '../../test/support/certificates/hierarchy.ts';
import { chainPem, createIdentity } from '../../src/demo/lab/identity.ts';
import { createDnsServer, reply } from '../../test/support/network/dns-server.ts';
import { addressOf, hostNames } from './network.ts';

/** The addresses and files that a bench needs. */
export interface Site {
  readonly dnsPort: number;
  readonly tlsPort: number;
  readonly rootPem: string;
  readonly appliancePort: number;
  readonly appliancePem: string;
  readonly user: string;
  readonly key: string;
}

/** Delay of every server, so that a probe waits for the network most of its time. */
const ROUND_TRIP_MS = 20;

async function serve(targets: number): Promise<Site> {
  const names = hostNames(targets);
  const { root, intermediate, leaf } = await createHierarchy();
  const certificates = new Map<string, SecureContext>();
  for (const name of names) {
    // One key for all, because making many takes longer than the bench. The certificates differ.
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
