import ipaddr from 'ipaddr.js';

import type { RawPacket } from './raw-packet.ts';

/** What TCP or UDP carried in one packet. */
export interface Segment extends Pick<RawPacket, 'at' | 'port' | 'direction'> {
  readonly transport: 'tcp' | 'udp';
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Hops that were left: TTL or hop limit. */
  readonly ttl: number;
  /** Of TCP; zeros for UDP. */
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: Readonly<Record<'syn' | 'ack' | 'fin' | 'rst', boolean>>;
  readonly payload: Buffer;
  /** Bytes of the payload that the packet had, and the capture does not. */
  readonly missing: number;
}

/**
 * A segment, or why there is none: `fragment` of an IP packet, `cut` before the ports (snaplen), `broken` where lengths
 * contradict each other, `other` for every other protocol.
 */
export type DecodedPacket = Segment | 'fragment' | 'cut' | 'broken' | 'other';

/** Where the IP header begins, and on which interface and in which direction the packet was seen. */
interface Network extends Pick<RawPacket, 'port' | 'direction'> {
  readonly start: number;
}

/** Reads the headers of one packet, from the link to the ports. Never throws, whatever the bytes. */
export function decodePacket(packet: RawPacket): DecodedPacket {
  const network = networkOf(packet);
  if (network === null) return 'other';
  const bytes = packet.bytes.subarray(network.start);
  // A dump does not say how long the packet was: the IP header does.
  const onWire = packet.link === 'text' ? Number.POSITIVE_INFINITY : packet.length - network.start;
  const version = (bytes[0] ?? 0) >> 4;
  const ip = version === 4 ? ipv4Of(bytes) : version === 6 ? ipv6Of(bytes) : 'other';
  return typeof ip === 'string' ? ip : transportOf(bytes, ip, onWire, { ...network, at: packet.at });
}

/** Link types, and where their EtherType is and their header ends: Ethernet, Linux cooked version 1 and 2. */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], readonly [typeAt: number, end: number]> = new Map([
  [1, [12, 14]],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/** LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW of some systems. */
const RAW: readonly RawPacket['link'][] = [101, 228, 229, 12, 14];

function networkOf({ link, bytes, port, direction }: RawPacket): Network | null {
  const place = { port, direction };
  if (link === 'text') return networkOfText(bytes, place);
  if (RAW.includes(link)) return { ...place, start: 0 };
  const start = startOfIp(bytes, ETHERTYPE_AT.get(link));
  if (start === null) return null;
  if (link === 1) return { ...place, start };
  // Its type is 4 if this host sent the packet.
  const isSent = bytes[link === 113 ? 1 : 10] === 4;
  const own = link === 276 ? (port ?? `if${String(bytes.readUInt32BE(4))}`) : port;
  return { start, port: own, direction: isSent ? 'out' : 'in' };
}

const VLANS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 4;
/** IPv4, IPv6, and PPPoE with the bytes of its own header (RFC 2516). */
const NETWORKS: ReadonlyMap<number, number> = new Map([
  [0x0800, 0],
  [0x86dd, 0],
  [0x8864, 8],
]);

/** Follows EtherTypes to the IP header; null: something else is there. */
function startOfIp(bytes: Buffer, [typeAt, end]: readonly [number, number] = [0, 0]): number | null {
  let [at, start] = [typeAt, end];
  for (let vlans = 0; vlans <= MAX_VLANS && Math.max(at + 2, start) <= bytes.length; vlans += 1) {
    const type = bytes.readUInt16BE(at);
    const own = NETWORKS.get(type);
    if (own !== undefined) return start + own;
    if (!VLANS.includes(type)) return null;
    [at, start] = [start + 2, start + 4];
  }
  return null;
}

/** A dump does not say which header it begins with: the one behind which an IP packet fits best. */
function networkOfText(bytes: Buffer, place: Pick<RawPacket, 'port' | 'direction'>): Network | null {
  const starts = [0, ...[...ETHERTYPE_AT.values()].flatMap((header) => startOfIp(bytes, header) ?? [])];
  const fitting = starts.flatMap((start) => {
    const rest = restBehindIp(bytes.subarray(start));
    return rest === null ? [] : [{ start, rest }];
  });
  const best = fitting.find(({ rest }) => rest === 0) ?? fitting.at(-1);
  return best === undefined ? null : { ...place, start: best.start };
}

/** Bytes behind the end of an IP packet (padding); negative: it was cut. Null: no IP packet begins there. */
function restBehindIp(bytes: Buffer): number | null {
  const first = bytes[0] ?? 0;
  if (first >> 4 === 6 && bytes.length >= 40) return bytes.length - 40 - bytes.readUInt16BE(4);
  if (first >> 4 !== 4 || bytes.length < 20 || (first & 15) < 5) return null;
  const total = bytes.readUInt16BE(2);
  return total >= 20 ? bytes.length - total : null;
}

interface IpHeader extends Pick<Segment, 'source' | 'destination' | 'ttl'> {
  readonly protocol: number;
  /** Where the header of TCP or UDP begins, and where the packet ends. */
  readonly start: number;
  readonly end: number;
}

/** Lengths are zero where the network card cuts the packet (TSO): then it is as long as what was captured. */
function ipv4Of(bytes: Buffer): IpHeader | 'cut' | 'broken' | 'fragment' {
  if (bytes.length < 20) return 'cut';
  const start = ((bytes[0] ?? 0) & 15) * 4;
  const total = bytes.readUInt16BE(2);
  if (start < 20 || (total !== 0 && total < start)) return 'broken';
  // More fragments follow, or it is not the first.
  if ((bytes.readUInt16BE(6) & 0x3fff) !== 0) return 'fragment';
  return {
    protocol: bytes[9] ?? 0,
    ttl: bytes[8] ?? 0,
    source: bytes.subarray(12, 16).join('.'),
    destination: bytes.subarray(16, 20).join('.'),
    start,
    end: total === 0 ? bytes.length : total,
  };
}

/** Extension headers that are passed: hop-by-hop, routing, destination (RFC 8200 §4), authentication (RFC 4302). */
const EXTENSIONS: readonly number[] = [0, 43, 60, 51];
const AUTHENTICATION = 51;
const FRAGMENT = 44;
const MAX_EXTENSIONS = 8;

function ipv6Of(bytes: Buffer): IpHeader | 'cut' | 'broken' | 'fragment' {
  if (bytes.length < 40) return 'cut';
  const payload = bytes.readUInt16BE(4);
  let [protocol, start] = [bytes[6] ?? 0, 40];
  for (let passed = 0; EXTENSIONS.includes(protocol); passed += 1) {
    if (passed === MAX_EXTENSIONS) return 'broken';
    if (start + 8 > bytes.length) return 'cut';
    const length = bytes[start + 1] ?? 0;
    const size = protocol === AUTHENTICATION ? (length + 2) * 4 : (length + 1) * 8;
    [protocol, start] = [bytes[start] ?? 0, start + size];
  }
  if (protocol === FRAGMENT) return 'fragment';
  const addressAt = (at: number): string => ipaddr.fromByteArray([...bytes.subarray(at, at + 16)]).toString();
  const [source, destination] = [addressAt(8), addressAt(24)];
  const end = payload === 0 ? bytes.length : 40 + payload;
  return { protocol, ttl: bytes[7] ?? 0, source, destination, start, end };
}

const TCP = 6;
const UDP = 17;

function transportOf(
  bytes: Buffer,
  { protocol, start, end: total, ttl, source, destination }: IpHeader,
  onWire: number,
  place: Pick<Segment, 'at' | 'port' | 'direction'>,
): DecodedPacket {
  const isTcp = protocol === TCP;
  if (!isTcp && protocol !== UDP) return 'other';
  const end = Math.min(total, onWire);
  const least = isTcp ? 20 : 8;
  if (end - start < least) return 'broken';
  if (bytes.length - start < least) return 'cut';
  const body = start + (isTcp ? ((bytes[start + 12] ?? 0) >> 4) * 4 : least);
  if (body < start + least || body > end) return 'broken';
  const flags = isTcp ? (bytes[start + 13] ?? 0) : 0;
  const payload = bytes.subarray(Math.min(body, bytes.length), Math.min(end, bytes.length));
  return {
    transport: isTcp ? 'tcp' : 'udp',
    at: place.at,
    port: place.port,
    direction: place.direction,
    source,
    sourcePort: bytes.readUInt16BE(start),
    destination,
    destinationPort: bytes.readUInt16BE(start + 2),
    ttl,
    sequence: isTcp ? bytes.readUInt32BE(start + 4) : 0,
    acknowledged: isTcp ? bytes.readUInt32BE(start + 8) : 0,
    flags: { fin: (flags & 1) !== 0, syn: (flags & 2) !== 0, rst: (flags & 4) !== 0, ack: (flags & 16) !== 0 },
    payload,
    missing: Math.max(0, end - body - payload.length),
  };
}
