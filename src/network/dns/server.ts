import type { Destination } from '../connect.ts';
import { locate } from '../locate.ts';
import type { SystemLookup } from '../system-lookup.ts';

const HTTPS_PORT = 443;

/** A resolver as a configuration names it. */
export type NamedResolver =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly url: string };

/** A resolver with an address to dial. */
export type DnsServer =
  | { readonly kind: 'udp' | 'tcp'; readonly at: Destination }
  /** `host`: the name or address that its certificate must be for. */
  | { readonly kind: 'tls'; readonly at: Destination; readonly host: string }
  | { readonly kind: 'https'; readonly at: Destination; readonly host: string; readonly url: URL };

/**
 * Finds the address of a configured resolver. One that is given by name is looked up through the system first.
 * @throws {ProbeError} `name-not-resolved` when that fails
 */
export async function serverOf(
  resolver: NamedResolver,
  system: SystemLookup,
  sourceAddress: string | null,
  signal: AbortSignal,
): Promise<DnsServer> {
  const find = (host: string, port: number): Promise<Destination> =>
    locate({ host, port, sourceAddress }, system, signal);
  switch (resolver.kind) {
    case 'udp':
    case 'tcp':
      return { kind: resolver.kind, at: await find(resolver.host, resolver.port) };
    case 'tls':
      return { kind: 'tls', at: await find(resolver.host, resolver.port), host: resolver.host };
    case 'https': {
      const url = new URL(resolver.url);
      const host = withoutBrackets(url.hostname);
      return { kind: 'https', at: await find(host, url.port === '' ? HTTPS_PORT : Number(url.port)), host, url };
    }
  }
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
