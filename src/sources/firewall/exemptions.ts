import ipaddr from 'ipaddr.js';
import type { FirewallClient } from './client.ts';
import { nameIn, resultOf, type Exemption, type ReplyFields } from './replies.ts';

/** The server as exemptions may name it. */
export interface ExemptionTarget {
  readonly host: string;
  /** Single addresses that are expected of it. */
  readonly addresses: readonly string[];
}

export interface ExemptionResult {
  /** `exemption "fortinet"`: the first that covers the server. */
  readonly exemptedBy: string | null;
  /** Those that may cover it or not, as `category 52`. */
  readonly unread: readonly string[];
}

type Coverage = 'covers' | 'other' | 'unread';

/**
 * The categories that FortiOS exempts by default, finance and health: no server for licences is in them. Where
 * FortiGuard puts it is not known, and an administrator may exempt just that category.
 */
const CATEGORIES_OF_OTHERS: readonly string[] = ['31', '33'];

/** Each costs one request; the built-in profiles have about 40. */
const MAX_READ = 64;

/** Reads the objects that the exemptions name, one after the other, until one covers the server. */
export async function readExemptions(
  client: FirewallClient,
  exemptions: readonly Exemption[],
  target: ExemptionTarget,
): Promise<ExemptionResult> {
  const unread: string[] = [];
  for (const exemption of exemptions.slice(0, MAX_READ)) {
    const coverage = await coverageOf(client, exemption, target);
    if (coverage === 'covers') return { exemptedBy: `exemption "${exemption.value}"`, unread };
    if (coverage === 'unread') unread.push(textOf(exemption));
  }
  return { exemptedBy: null, unread: [...unread, ...exemptions.slice(MAX_READ).map(textOf)] };
}

async function coverageOf(client: FirewallClient, exemption: Exemption, target: ExemptionTarget): Promise<Coverage> {
  switch (exemption.kind) {
    case 'category':
      return CATEGORIES_OF_OTHERS.includes(exemption.value) ? 'other' : 'unread';
    case 'other':
    case 'regex':
      // A pattern of a stranger is not run: it may never end.
      return 'unread';
    case 'address':
      return addressCoverage(await objectOf(client, 'address', exemption.value), target);
    case 'wildcard-fqdn':
      return nameCoverage(await objectOf(client, 'wildcard-fqdn', exemption.value), 'wildcard-fqdn', target.host);
  }
}

function textOf({ kind, value }: Exemption): string {
  switch (kind) {
    case 'category':
      return `category ${value === '' ? 'without a number' : value}`;
    case 'other':
      return 'one of an unknown type';
    case 'regex':
      return `pattern "${value}"`;
    case 'address':
    case 'wildcard-fqdn':
      return `${kind} "${value}"`;
  }
}

/** Nothing where it cannot be read, which reads as an object of no type. */
async function objectOf(client: FirewallClient, kind: 'address' | 'wildcard-fqdn', name: string): Promise<ReplyFields> {
  const reply = await client.read({ kind, name });
  return (reply.kind === 'json' ? resultOf(reply.value) : null) ?? {};
}

/**
 * By the type of the object alone: FortiOS shows a `subnet` with each, which is 0.0.0.0/0 where it means nothing. A
 * country, a tag, or what a connector fills covers addresses that are not known here.
 */
function addressCoverage(object: ReplyFields, { host, addresses }: ExemptionTarget): Coverage {
  switch (object['type']) {
    case 'ipmask': {
      const subnet = nameIn(object, 'subnet');
      return subnet === null ? 'unread' : allOf(addresses, (address) => isInSubnet(address, subnet));
    }
    case 'iprange': {
      const start = nameIn(object, 'start-ip');
      const end = nameIn(object, 'end-ip');
      return start === null || end === null ? 'unread' : allOf(addresses, (address) => isBetween(address, start, end));
    }
    case 'fqdn':
    case 'wildcard-fqdn':
      return nameCoverage(object, object['type'], host);
    default:
      return 'unread';
  }
}

function nameCoverage(object: ReplyFields, field: 'fqdn' | 'wildcard-fqdn', host: string): Coverage {
  const pattern = nameIn(object, field);
  if (pattern === null) return 'unread';
  return matchesName(pattern, host) ? 'covers' : 'other';
}

function allOf(addresses: readonly string[], isCovered: (address: string) => boolean): Coverage {
  if (addresses.length === 0) return 'unread';
  return addresses.every(isCovered) ? 'covers' : 'other';
}

/** `*.fortinet.com` covers what ends in `.fortinet.com`; a star stands for any characters. @internal */
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

/** `"173.243.138.0 255.255.255.0"`, or with a slash. */
function isInSubnet(address: string, subnet: string): boolean {
  const [network = '', mask = ''] = subnet.split(/[\s/]+/u);
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) || !ipaddr.IPv4.isValidFourPartDecimal(network)) return false;
  const bits = ipaddr.IPv4.isValidFourPartDecimal(mask)
    ? ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask()
    : Number(mask);
  if (bits === null || !Number.isInteger(bits) || bits < 0 || bits > 32) return false;
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), bits);
}

function isBetween(address: string, start: string, end: string): boolean {
  const [value, low, high] = [address, start, end].map(ipv4Number);
  return (
    typeof value === 'number' && typeof low === 'number' && typeof high === 'number' && low <= value && value <= high
  );
}

function ipv4Number(address: string): number | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address)) return null;
  return ipaddr.IPv4.parse(address).octets.reduce((number, octet) => number * 256 + octet, 0);
}
