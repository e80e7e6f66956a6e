import { createDnsServer, reply, SILENCE, zone } from './dns-server.ts';
import type { DnsHandler } from './dns-server.ts';

/** How the resolver falsifies one name. All other names are answered correctly. */
export type ResolverFault =
  | { readonly kind: 'none' }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'server-failure' }
  | { readonly kind: 'silent' }
  /** A different address, as sent by filters and captive portals. */
  | { readonly kind: 'answer'; readonly address: string };

export interface Resolver extends AsyncDisposable {
  readonly port: number;
  setFault(name: string, fault: ResolverFault): void;
}

const TTL = 5;
const SERVER_FAILURE = 2;
const NAME_ERROR = 3;

/** Starts a resolver on loopback that resolves these names to 127.0.0.1. */
export async function createResolver(names: readonly string[]): Promise<Resolver> {
  const faults = new Map<string, ResolverFault>();
  const server = await createDnsServer((asked) => {
    const fault = faults.get(asked.name.toLowerCase()) ?? { kind: 'none' };
    switch (fault.kind) {
      case 'none':
        return addressesOf(names, '127.0.0.1')(asked);
      case 'not-found':
        return reply(asked, [], { rcode: NAME_ERROR });
      case 'server-failure':
        return reply(asked, [], { rcode: SERVER_FAILURE });
      case 'silent':
        return SILENCE;
      case 'answer':
        return addressesOf(names, fault.address)(asked);
    }
  });
  return {
    port: server.port,
    setFault: (name, fault) => {
      faults.set(name.toLowerCase(), fault);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function addressesOf(names: readonly string[], data: string): DnsHandler {
  return zone(Object.fromEntries(names.map((name) => [name, [{ type: 'A', name, class: 'IN', ttl: TTL, data }]])));
}
