import ipaddr from 'ipaddr.js';
import type { FirewallClient } from './client.ts';
import { nameIn, resultOf } from './replies.ts';
import type { Exemption } from './replies.ts';

/** The server as exemptions may name it. */
export interface ExemptionTarget {
  readonly host: string;
  /** Single addresses that are expected of it. */
  readonly addresses: readonly string[];
}

export interface ExemptionResult {
  /** `exemption "fortinet"`: the first that covers the server. */
  readonly exemptedBy: string | null;
  /** How many could not be read. */
  readonly unread: number;
}

type Coverage = 'covers' | 'other' | 'unread';

/** Each costs one request; the built-in profiles have about 40. */
const MAX_READ = 64;

/** Reads the objects that the exemptions name, one after the other, until one covers the server. */
export async function readExemptions(
  client: FirewallClient,
  exemptions: readonly Exemption[],
  target: ExemptionTarget,
): Promise<ExemptionResult> {
  let unread = Math.max(0, exemptions.length - MAX_READ);
  for (const exemption of exemptions.slice(0, MAX_READ)) {
    const coverage = await coverageOf(client, exemption, target);
    if (coverage === 'covers') return { exemptedBy: `exemption "${exemption.value}"`, unread };
    if (coverage === 'unread') unread += 1;
  }
  return { exemptedBy: null, unread };
}

async function coverageOf(client: FirewallClient, exemption: Exemption, target: ExemptionTarget): Promise<Coverage> {
  switch (exemption.kind) {
    case 'category':
      // Which category FortiGuard puts the server in is not known here; the built-in ones are finance and health.
      return 'other';
    case 'other':
    case 'regex':
      // A pattern of a stranger is not run: it may never end.
      return 'unread';
    case 'address':
      return objectCoverage(client, { kind: 'address', name: exemption.value }, target);
    case 'wildcard-fqdn':
      return objectCoverage(client, { kind: 'wildcard-fqdn', name: exemption.value }, target);
  }
}

async function objectCoverage(
  client: FirewallClient,
  object: { readonly kind: 'address' | 'wildcard-fqdn'; readonly name: string },
  target: ExemptionTarget,
): Promise<Coverage> {
  const reply = await client.read(object);
  const result = reply.kind === 'json' ? resultOf(reply.value) : null;
  if (result === null) return 'unread';
  const pattern = nameIn(result, 'wildcard-fqdn') ?? nameIn(result, 'fqdn');
  if (pattern !== null) return matchesName(pattern, target.host) ? 'covers' : 'other';
  return addressCoverage(result, target.addresses);
}

/** `*.fortinet.com` covers what ends in `.fortinet.com`; a star stands for any characters. */
export function matchesName(pattern: string, host: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const name = host.toLowerCase();
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || !name.slice(first.length).endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

/** `subnet` is `"173.243.138.0 255.255.255.0"`; ranges have `start-ip` and `end-ip`. */
function addressCoverage(result: Readonly<Record<string, unknown>>, addresses: readonly string[]): Coverage {
  if (addresses.length === 0) return 'unread';
  const subnet = nameIn(result, 'subnet');
  if (subnet !== null) return addresses.every((address) => isInSubnet(address, subnet)) ? 'covers' : 'other';
  const start = nameIn(result, 'start-ip');
  const end = nameIn(result, 'end-ip');
  if (start === null || end === null) return 'unread';
  return addresses.every((address) => isBetween(address, start, end)) ? 'covers' : 'other';
}

function isInSubnet(address: string, subnet: string): boolean {
  const [network = '', mask = ''] = subnet.split(/[\s/]+/u);
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) || !ipaddr.IPv4.isValidFourPartDecimal(network)) return false;
  const bits = ipaddr.IPv4.isValidFourPartDecimal(mask) ? ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask() : Number(mask);
  if (bits === null || !Number.isInteger(bits) || bits < 0 || bits > 32) return false;
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), bits);
}

function isBetween(address: string, start: string, end: string): boolean {
  const [value, low, high] = [address, start, end].map(ipv4Number);
  return typeof value === 'number' && typeof low === 'number' && typeof high === 'number' && low <= value && value <= high;
}

function ipv4Number(address: string): number | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address)) return null;
  return ipaddr.IPv4.parse(address).octets.reduce((number, octet) => number * 256 + octet, 0);
}
