import { once } from 'node:events';
import { createServer } from 'node:https';
import type { RequestListener } from 'node:http';
import { createDnsServer, zone } from '../../../src/demo/lab/dns-server.ts';

/** A web server that presents the same certificate for every server name. */
export interface Origin {
  readonly name: string;
  readonly address: string;
  /** PEM. */
  readonly key: string;
  /** PEM of the chain that is sent. */
  readonly cert: string;
}

/** Settings that `startOrigins` sends to the process with the servers. */
export interface OriginSettings {
  /** Address of a resolver that resolves the origins. */
  readonly resolver: string;
  readonly origins: readonly Origin[];
}

/**
 * A program with a resolver on port 53 and web servers on port 443, each at a separate address, in the network
 * namespace in which it is started. Settings are the first message; it answers "ready", and exits with its parent.
 */
process.once('message', (settings: OriginSettings) => {
  void serve(settings).then(() => process.send?.('ready'));
});
process.once('disconnect', () => process.exit());

/** Answers as the real licence server does for clients without a certificate. */
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
