import { once } from 'node:events';
import { createServer } from 'node:https';
import type { RequestListener } from 'node:http';
import { createDnsServer, zone } from './dns-server.ts';

/** One web server: its certificate is the same whatever server name is asked for. */
export interface Origin {
  readonly name: string;
  readonly address: string;
  /** PEM. */
  readonly key: string;
  /** PEM of the chain that is sent. */
  readonly cert: string;
}

/** What `startOrigins` tells the process that serves them. */
export interface OriginSettings {
  /** Address of a resolver that knows the origins. */
  readonly resolver: string;
  readonly origins: readonly Origin[];
}

/**
 * A program: a resolver on port 53 and web servers on port 443, each at an address of its own, in the network namespace
 * in which it is started. Settings come as the first message; it answers "ready", and ends with its parent.
 */
process.once('message', (settings: OriginSettings) => {
  void serve(settings).then(() => process.send?.('ready'));
});
process.once('disconnect', () => process.exit());

/** As the real licence server answers clients without a certificate. */
const notFound: RequestListener = (_, response) => {
  response.writeHead(404).end();
};

async function serve({ resolver, origins }: OriginSettings): Promise<void> {
  const records = origins.map(
    ({ name, address }) => [name, [{ type: 'A', name, class: 'IN', ttl: 300, data: address }]] as const,
  );
  await createDnsServer(zone(Object.fromEntries(records)), { address: resolver, port: 53 });
  await Promise.all(
    origins.map(async ({ address, key, cert }) => {
      await once(createServer({ key, cert }, notFound).listen(443, address), 'listening');
    }),
  );
}
