import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { oncePer } from './once-per.ts';

interface Sinkhole {
  readonly owner: string;
  readonly addresses: readonly string[];
}

/**
 * List only addresses that have no other use, each with its source. For example, FortiGuard and DDNS also use addresses
 * in 208.91.112.0/22.
 */
const SINKHOLES: readonly Sinkhole[] = [
  {
    // FortiGate's DNS filter with the default action "redirect to block portal", IPv4 and IPv6:
    // https://community.fortinet.com/t5/FortiGate/Technical-Tip-Various-Block-option-under-DNS-filter/ta-p/260790 and
    // ta-p/421739.
    owner: 'FortiGuard DNS filter',
    addresses: ['208.91.112.55', '2001:cdba::3257:9652'],
  },
  {
    // 146.112.61.104 to .110, also in IPv4-mapped IPv6 form:
    // https://support.umbrella.com/hc/en-us/articles/227986927-What-are-the-Cisco-Umbrella-Block-Page-IP-Addresses
    owner: 'Cisco Umbrella (OpenDNS)',
    addresses: ['146.112.61.104/30', '146.112.61.108/31', '146.112.61.110'],
  },
  {
    // sinkhole.paloaltonetworks.com is the default in PAN-OS anti-spyware profiles (older and newer address). The IPv6
    // counterpart is from the vendor's configuration template: https://github.com/PaloAltoNetworks/iron-skillet
    // (SINKHOLE_IPV4, SINKHOLE_IPV6).
    owner: 'Palo Alto Networks DNS sinkhole',
    addresses: ['72.5.65.111', '198.135.184.22', '2600:5200::1'],
  },
];

type Parsed = ReturnType<typeof ipaddr.process>;

/**
 * `bogon`: neither private nor on the public internet (documentation, carrier-grade NAT, multicast, reserved).
 * `sinkhole`: returned by DNS filters for blocked names.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'unspecified' | 'bogon' | 'sinkhole';

/** Keyed by ipaddr.js range name. All other ranges are classified as `bogon`. */
const CLASS_BY_RANGE: ReadonlyMap<string, AddressClass> = new Map<string, AddressClass>([
  ['unicast', 'public'],
  // The AS112 ranges are globally reachable, although they are registered as special-purpose:
  // https://www.iana.org/assignments/iana-ipv4-special-registry.
  ['as112', 'public'],
  ['as112v6', 'public'],
  ['amt', 'public'],
  ['private', 'private'],
  ['uniqueLocal', 'private'],
  ['deprecatedSiteLocal', 'private'],
  ['loopback', 'loopback'],
  ['linkLocal', 'link-local'],
  ['unspecified', 'unspecified'],
]);

/** Prefix length in bits (RFC 6052 §2.1). The embedded IPv4 address follows the prefix. */
const NAT64_PREFIX = 96;

/** An IPv4 address inside an IPv6 address (mapped or NAT64) is classified as IPv4. */
export function classifyAddress(address: string): AddressClass | null {
  const parsed = parseAddress(address);
  if (parsed === null) return null;
  if (sinkholeOf(parsed) !== null) return 'sinkhole';
  return CLASS_BY_RANGE.get(parsed.range()) ?? 'bogon';
}

export function sinkholeOwner(address: string): string | null {
  const parsed = parseAddress(address);
  return parsed === null ? null : sinkholeOf(parsed);
}

function sinkholeOf(parsed: Parsed): string | null {
  return blocksOf(SINKHOLES).find(({ contains }) => contains(parsed))?.owner ?? null;
}

/** Invalid values never match. */
export function addressInAny(address: string, blocks: readonly string[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && parsedBlocks(blocks).some((contains) => contains(parsed));
}

const parsedBlocks = oncePer((blocks: readonly string[]): readonly Contains[] => blocks.map(parseBlock));

export function singleAddresses(blocks: readonly string[]): readonly string[] {
  return blocks.filter((block) => isIP(block) !== 0);
}

/**
 * For example `10.0.0.0/24` for `10.0.0.9/24`. Null for a single address, or if the block starts at its network
 * address.
 */
export function networkWithin(block: string): string | null {
  const [address = '', length] = block.split('/');
  if (length === undefined || !ipaddr.isValidCIDR(block)) return null;
  const family = ipaddr.parse(address).kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = family.networkAddressFromCIDR(block).toString();
  return network === ipaddr.parse(address).toString() ? null : `${network}/${length}`;
}

export function addressFamily(address: string): 4 | 6 | null {
  const family = isIP(address);
  return family === 4 || family === 6 ? family : null;
}

/** The family of the destination host, which is IPv4 if NAT64 translates the address (RFC 6052). */
export function servedFamily(address: string): 4 | 6 | null {
  if (isIP(address) === 4) return 4;
  const parsed = parseAddress(address);
  return parsed === null ? null : parsed.kind() === 'ipv4' ? 4 : 6;
}

/** `auto` means IPv4 if the target has an IPv4 address and this machine has a route to it, otherwise IPv6. */
export type FamilyChoice = 'auto' | 4 | 6;

export function ofFamily(addresses: readonly string[], family: FamilyChoice): readonly string[] {
  return family === 'auto' ? addresses : addresses.filter((address) => servedFamily(address) === family);
}

/** Removes duplicates and invalid addresses, and moves IPv4 addresses to the front. */
export function uniqueAddresses(addresses: readonly string[]): readonly string[] {
  const unique = [...new Set(addresses.flatMap((address) => plainAddress(address) ?? []))];
  return [
    ...unique.filter((address) => addressFamily(address) === 4),
    ...unique.filter((address) => addressFamily(address) === 6),
  ];
}

function plainAddress(address: string): string | null {
  const family = isIP(address);
  return family === 6 ? ipaddr.parse(address).toString() : family === 4 ? address : null;
}

function parseAddress(address: string): Parsed | null {
  // ipaddr.js also accepts `10` and `0x7f.1`.
  if (isIP(address) === 0) return null;
  const parsed = ipaddr.process(address);
  return parsed.kind() === 'ipv6' && parsed.range() === 'rfc6052' ? embeddedIpv4(parsed) : parsed;
}

function embeddedIpv4(parsed: Parsed): Parsed {
  const bytes = parsed.toByteArray();
  const wellKnown = ipaddr.parseCIDR(`64:ff9b::/${String(NAT64_PREFIX)}`);
  return matches(parsed, wellKnown) ? ipaddr.fromByteArray(bytes.slice(NAT64_PREFIX / 8)) : parsed;
}

/**
 * Byte positions of the embedded IPv4 address for each prefix length (RFC 6052 §2.2). All bytes between and after these
 * positions must be zero.
 */
const EMBEDDINGS: readonly (readonly number[])[] = [
  [4, 5, 6, 7],
  [5, 6, 7, 9],
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
  [12, 13, 14, 15],
];
const UNUSED_OCTET = 8;

/**
 * Returns the IPv4 address in a NAT64 address if the same name also resolves to it. The prefix alone cannot identify
 * NAT64, because each network can choose its own prefix.
 */
export function translatedFrom(address: string, sameName: readonly string[]): string | null {
  if (isIP(address) !== 6) return null;
  const bytes = ipaddr.parse(address).toByteArray();
  const last = bytes.length - 1;
  const found = EMBEDDINGS.flatMap((octets) => {
    const end = octets.at(-1) ?? last;
    const isFilled = end === last || (bytes[UNUSED_OCTET] === 0 && bytes.slice(end + 1).every((byte) => byte === 0));
    return isFilled ? [octets.map((octet) => String(bytes[octet])).join('.')] : [];
  });
  return found.find((ipv4) => sameName.includes(ipv4)) ?? null;
}

type Contains = (parsed: Parsed) => boolean;

/** Any other text results in an empty block. */
function parseBlock(block: string): Contains {
  if (isIP(block) !== 0) {
    const single = ipaddr.process(block);
    const text = single.toNormalizedString();
    return (parsed) => single.kind() === parsed.kind() && text === parsed.toNormalizedString();
  }
  if (!ipaddr.isValidCIDR(block)) return () => false;
  const network = ipaddr.parseCIDR(block);
  return (parsed) => matches(parsed, network);
}

/** Parsed only once, because every observed address is compared with these blocks. */
const blocksOf = oncePer((sinkholes: readonly Sinkhole[]) =>
  sinkholes.flatMap(({ owner, addresses }) => addresses.map((address) => ({ owner, contains: parseBlock(address) }))),
);

function matches(parsed: Parsed, [network, bits]: readonly [Parsed, number]): boolean {
  return (
    parsed.kind() === network.kind() && ipaddr.subnetMatch(parsed, { block: [[network, bits]] }, 'outside') === 'block'
  );
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export function authority({ host, port }: HostPort): string {
  return isIP(host) === 6 ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}

export function hostOf(target: string): string {
  const bracketed = /^\[([^\]]*)\]/u.exec(target);
  return bracketed === null ? target.replace(/:[^:]*$/u, '') : (bracketed[1] ?? '');
}

export function portOf(target: string): string {
  return target.slice(target.lastIndexOf(':') + 1);
}

export function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/u, '');
}

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)$/u;

export function isLoopbackUrl(text: string): boolean {
  return LOOPBACK.test(URL.parse(text)?.hostname ?? '');
}

/** RFC 6762 §3 and appendix G, RFC 8375, ICANN's `.internal`. */
const INTERNAL_NAME = /\.(?:local|localdomain|internal|intranet|private|corp|home|lan|home\.arpa)$/u;

/** An address or name that only clients in a private network can use. `name` has the format of `plainName`. */
export function isPrivateHost(name: string): boolean {
  const kind = classifyAddress(name);
  if (kind !== null) return kind === 'private' || kind === 'loopback' || kind === 'link-local';
  return !name.includes('.') || INTERNAL_NAME.test(name);
}
