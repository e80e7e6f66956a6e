import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { oncePer } from './once-per.ts';
import { SINKHOLES } from './sinkholes.ts';

type Parsed = ReturnType<typeof ipaddr.process>;

/**
 * What an address is good for as the address of a public server. `bogon`: not on the public internet although not
 * private either (documentation, carrier-grade NAT, multicast, reserved). `sinkhole`: where a DNS filter sends the
 * names it blocks.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link-local' | 'unspecified' | 'bogon' | 'sinkhole';

/** ipaddr.js's range names that are not simply `bogon`. */
const CLASS_BY_RANGE: ReadonlyMap<string, AddressClass> = new Map<string, AddressClass>([
  ['unicast', 'public'],
  // Globally reachable although listed as special purpose, https://www.iana.org/assignments/iana-ipv4-special-registry.
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

/** Bits of an IPv6 address before the IPv4 address that NAT64 embeds (RFC 6052 §2.1, the well-known prefix). */
const NAT64_PREFIX = 96;

/**
 * Classifies a literal address; null when it is none. IPv4 inside IPv6 (mapped, NAT64) is judged as the IPv4 address it
 * stands for.
 */
export function classifyAddress(address: string): AddressClass | null {
  const parsed = parseAddress(address);
  if (parsed === null) return null;
  if (sinkholeOf(parsed) !== null) return 'sinkhole';
  return CLASS_BY_RANGE.get(parsed.range()) ?? 'bogon';
}

/** Who runs the known sinkhole or block page at this address; null when it is none. */
export function sinkholeOwner(address: string): string | null {
  const parsed = parseAddress(address);
  return parsed === null ? null : sinkholeOf(parsed);
}

function sinkholeOf(parsed: Parsed): string | null {
  return SINKHOLE_BLOCKS.find(({ contains }) => contains(parsed))?.owner ?? null;
}

/** Whether the address lies in one of the blocks (addresses or CIDR); what is neither matches nothing. */
export function addressInAny(address: string, blocks: readonly string[]): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && parsedBlocks(blocks).some((contains) => contains(parsed));
}

const parsedBlocks = oncePer((blocks: readonly string[]): readonly Contains[] => blocks.map(parseBlock));

/** The single addresses of a list that may also hold CIDR blocks. */
export function singleAddresses(blocks: readonly string[]): readonly string[] {
  return blocks.filter((block) => isIP(block) !== 0);
}

/**
 * The network of a CIDR block that is written as an address in it: `10.0.0.0/24` for `10.0.0.9/24`. Null where nothing
 * but the network stands there, and for a single address.
 */
export function networkWithin(block: string): string | null {
  const [address = '', length] = block.split('/');
  if (length === undefined || !ipaddr.isValidCIDR(block)) return null;
  const family = ipaddr.parse(address).kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = family.networkAddressFromCIDR(block).toString();
  return network === ipaddr.parse(address).toString() ? null : `${network}/${length}`;
}

/** 4 or 6 for a literal address, null for anything else. */
export function addressFamily(address: string): 4 | 6 | null {
  const family = isIP(address);
  return family === 4 || family === 6 ? family : null;
}

/** The family that an address leads to: what NAT64 translates is IPv4 (RFC 6052). Null for what is no address. */
export function servedFamily(address: string): 4 | 6 | null {
  if (isIP(address) === 4) return 4;
  const parsed = parseAddress(address);
  return parsed === null ? null : parsed.kind() === 'ipv4' ? 4 : 6;
}

/**
 * Which addresses of a target count. `auto`: IPv4 decides where the target has it and this machine a route for it, else
 * IPv6.
 */
export type FamilyChoice = 'auto' | 4 | 6;

/** Those that are dialled. */
export function ofFamily(addresses: readonly string[], family: FamilyChoice): readonly string[] {
  return family === 'auto' ? addresses : addresses.filter((address) => servedFamily(address) === family);
}

/** Each address once, IPv4 before IPv6, otherwise in the given order; what is no address is left out. */
export function uniqueAddresses(addresses: readonly string[]): readonly string[] {
  const unique = [...new Set(addresses.flatMap((address) => plainAddress(address) ?? []))];
  return [
    ...unique.filter((address) => addressFamily(address) === 4),
    ...unique.filter((address) => addressFamily(address) === 6),
  ];
}

/** In the one way of writing it; an IPv4 address has no other. Null for what is no address. */
function plainAddress(address: string): string | null {
  const family = isIP(address);
  return family === 6 ? ipaddr.parse(address).toString() : family === 4 ? address : null;
}

function parseAddress(address: string): Parsed | null {
  // ipaddr.js alone also takes `10` and `0x7f.1`.
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
 * Where an IPv6 address holds the IPv4 address that a NAT64 translates, by the length of the prefix: RFC 6052 §2.2. The
 * octet between them is zero, and so is what follows.
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
 * The IPv4 address among those of the same name that an IPv6 address stands for behind a NAT64; null for an address of
 * its own. A network chooses its prefix freely, so that nothing else shows it.
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

/** What is neither an address nor a block contains nothing. */
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

/** Parsed once: every address that is ever seen is compared with them. */
const SINKHOLE_BLOCKS: readonly { readonly owner: string; readonly contains: Contains }[] = SINKHOLES.flatMap(
  ({ owner, addresses }) => addresses.map((address) => ({ owner, contains: parseBlock(address) })),
);

function matches(parsed: Parsed, [network, bits]: readonly [Parsed, number]): boolean {
  return (
    parsed.kind() === network.kind() && ipaddr.subnetMatch(parsed, { block: [[network, bits]] }, 'outside') === 'block'
  );
}
