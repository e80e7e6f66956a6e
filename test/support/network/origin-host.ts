import { createServer } from 'node:https';
import { createDnsServer, zone } from './dns-server.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';
import type { Hosted } from '../process/host.ts';

interface Named {
  readonly name: string;
  readonly address: string;
}

/** A web server that presents the same certificate for every server name. */
export interface Origin extends Named {
  /** PEM. */
  readonly key: string;
  /** PEM of the chain that is sent. */
  readonly cert: string;
}

export interface OriginSettings {
  /** Address of a resolver for the names of the other servers. */
  readonly resolver: string;
  readonly origins: readonly Origin[];
  readonly mailServers?: readonly Named[];
}

/** Runs a resolver on port 53, web servers on port 443 and mail servers on port 25, each at its address. */
export async function host({ resolver, origins, mailServers = [] }: OriginSettings): Promise<Hosted<null, never>> {
  const records = [...origins, ...mailServers].map(({ name, address }) => {
    const type = address.includes(':') ? 'AAAA' : 'A';
    return { type, name, class: 'IN', ttl: 300, data: address } as const;
  });
  const byName = Object.fromEntries(Map.groupBy(records, ({ name }) => name));
  await createDnsServer(zone(byName), { address: resolver, port: 53 });
  for (const { address, key, cert } of origins) {
    // As the real licence server answers clients without a certificate.
    const server = createServer({ key, cert }, (_, response) => response.writeHead(404).end());
    await listening(server, { address, port: 443 });
  }
  for (const { address } of mailServers) await createMailHost({ listen: { address, port: 25 } });
  return { ready: null };
}
