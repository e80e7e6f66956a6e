import { isIP } from 'node:net';
import type { ResolverConfig } from '../../config/config.ts';
import { addressFamily } from '../../core/addresses.ts';
import type { Destination } from '../connect.ts';
import { ProbeError, failureMessage } from '../failure.ts';
import { lookUp } from './system-lookup.ts';
import type { SystemLookup } from './system-lookup.ts';

const HTTPS_PORT = 443;

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
  resolver: Exclude<ResolverConfig, { kind: 'system' }>,
  system: SystemLookup,
  sourceAddress: string | null,
  signal: AbortSignal,
): Promise<DnsServer> {
  async function locate(host: string, port: number): Promise<Destination> {
    return { address: await addressOf(host, system, sourceAddress, signal), port, sourceAddress };
  }
  switch (resolver.kind) {
    case 'udp':
    case 'tcp':
      return { kind: resolver.kind, at: await locate(resolver.host, resolver.port) };
    case 'tls':
      return { kind: 'tls', at: await locate(resolver.host, resolver.port), host: resolver.host };
    case 'https': {
      const url = new URL(resolver.url);
      const host = withoutBrackets(url.hostname);
      return { kind: 'https', at: await locate(host, url.port === '' ? HTTPS_PORT : Number(url.port)), host, url };
    }
  }
}

async function addressOf(host: string, system: SystemLookup, sourceAddress: string | null, signal: AbortSignal): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    const found = await lookUp(system, host, signal);
    const addresses = found.map(({ address }) => address);
    const family = sourceAddress === null ? 4 : addressFamily(sourceAddress);
    const address = addresses.find((candidate) => addressFamily(candidate) === family) ?? addresses[0];
    if (address !== undefined) return address;
  } catch (error) {
    throw notFound(host, failureMessage(error), error);
  }
  throw notFound(host, 'it has no address');
}

function notFound(host: string, why: string, cause?: unknown): ProbeError {
  return new ProbeError('name-not-resolved', `Cannot find the resolver itself: the system does not resolve its name "${host}": ${why}`, {
    cause,
  });
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
