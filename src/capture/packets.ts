import ipaddr from 'ipaddr.js';

import type { EpochMs } from '../core/clock.ts';
import type { RawPacket } from './raw-packet.ts';

/** What TCP or UDP carried in one packet. */
export interface Segment {
  readonly transport: 'tcp' | 'udp';
  readonly at: EpochMs;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Hops that were left: TTL or hop limit. */
  readonly ttl: number;
  readonly port: string | null;
  readonly direction: RawPacket['direction'];
  /** Of TCP; zeros for UDP. */
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: Flags;
  readonly payload: Buffer;
  /** Bytes of the payload that the packet had, and the capture does not. */
  readonly missing: number;
}

export interface Flags {
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
}

/**
 * A segment, or why there is none: `fragment` of an IP packet, `cut` before the ports (snaplen), `broken` where lengths
 * contradict each other, `other` for every other protocol.
 */
export type DecodedPacket = Segment | 'fragment' | 'cut' | 'broken' | 'other';

const ETHERNET = 1;
const COOKED = 113;
const COOKED_2 = 276;
/** LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW of some systems. */
const RAW: readonly number[] = [101, 228, 229, 12, 14];

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const PPPOE = 0x8864;
const VLANS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 4;

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
  switch ((bytes[0] ?? 0) >> 4) {
    case 4:
      return decodeIpv4({ packet, network, bytes, onWire });
    case 6:
      return decodeIpv6({ packet, network, bytes, onWire });
    default:
      return 'other';
  }
}

function networkOf(packet: RawPacket): Network | null {
  const { bytes, link } = packet;
  if (link === 'text') return networkOfText(packet);
  if (RAW.includes(link)) return { ...packet, start: 0 };
  if (link === ETHERNET) return behind(packet, 12, packet);
  if (link === COOKED) return behind(packet, 14, { port: packet.port, direction: sentOrNot(bytes[1] ?? 0) });
  if (link !== COOKED_2 || bytes.length < 20) return null;
  const port = packet.port ?? `if${String(bytes.readUInt32BE(4))}`;
  const start = behind(packet, 0, packet, 20)?.start;
  return start === undefined ? null : { start, port, direction: sentOrNot(bytes[10] ?? 0) };
}

/** sll_pkttype: 4 is what this host sent. */
function sentOrNot(type: number): RawPacket['direction'] {
  return type === 4 ? 'out' : 'in';
}

/** Follows EtherTypes to the IP header. @param after where the EtherType's own header ends */
function behind(
  { bytes }: RawPacket,
  typeAt: number,
  { port, direction }: Pick<RawPacket, 'port' | 'direction'>,
  after = typeAt + 2,
): Network | null {
  let [at, start] = [typeAt, after];
  for (let vlans = 0; vlans <= MAX_VLANS && at + 2 <= bytes.length; vlans += 1) {
    const type = bytes.readUInt16BE(at);
    if (type === IPV4 || type === IPV6) return { start, port, direction };
    // Version, type, code, session and length, then the protocol of PPP (RFC 2516).
    if (type === PPPOE) return { start: start + 8, port, direction };
    if (!VLANS.includes(type)) return null;
    [at, start] = [start + 2, start + 4];
  }
  return null;
}

/** Link headers that a dump may begin with, by where their EtherType is and where they end. */
const LINK_HEADERS: readonly (readonly [typeAt: number, after: number])[] = [
  [12, 14],
  [14, 16],
  [0, 20],
];

/** A dump does not say which header it begins with: the one behind which an IP packet fits best. */
function networkOfText(packet: RawPacket): Network | null {
  const { bytes, port, direction } = packet;
  const found = [
    { start: 0, port, direction },
    ...LINK_HEADERS.flatMap(([typeAt, after]) => behind(packet, typeAt, packet, after) ?? []),
  ].map((network) => ({ network, rest: restBehindIp(bytes, network.start) }));
  const possible = found.filter(({ rest }) => rest !== null);
  return (possible.find(({ rest }) => rest === 0) ?? possible.at(-1))?.network ?? null;
}

/** Bytes behind the end of an IP packet (padding); negative: it was cut. Null: no IP packet begins there. */
function restBehindIp(bytes: Buffer, start: number): number | null {
  const rest = bytes.length - start;
  const version = (bytes[start] ?? 0) >> 4;
  if (version === 4 && rest >= 20 && ((bytes[start] ?? 0) & 15) >= 5) {
    const total = bytes.readUInt16BE(start + 2);
    return total >= 20 ? rest - total : null;
  }
  return version === 6 && rest >= 40 ? rest - 40 - bytes.readUInt16BE(start + 4) : null;
}

interface IpPacket {
  readonly packet: RawPacket;
  readonly network: Network;
  /** From the IP header on. */
  readonly bytes: Buffer;
  readonly onWire: number;
}

/** Lengths are zero where the network card cuts the packet (TSO): then it is as long as what was captured. */
function decodeIpv4(ip: IpPacket): DecodedPacket {
  const { bytes, onWire } = ip;
  if (bytes.length < 20) return 'cut';
  const header = ((bytes[0] ?? 0) & 15) * 4;
  const total = bytes.readUInt16BE(2);
  if (header < 20 || (total !== 0 && total < header)) return 'broken';
  if (bytes.length < header) return 'cut';
  // More fragments follow, or it is not the first.
  if ((bytes.readUInt16BE(6) & 0x3fff) !== 0) return 'fragment';
  const end = Math.min(total === 0 ? bytes.length : total, onWire);
  const [source, destination] = [bytes.subarray(12, 16), bytes.subarray(16, 20)].map((part) => part.join('.'));
  return decodeTransport(ip, { protocol: bytes[9] ?? 0, ttl: bytes[8] ?? 0, source, destination, start: header, end });
}

const FRAGMENT = 44;
/** Extension headers that are passed: hop-by-hop, routing, destination (RFC 8200 §4), authentication (RFC 4302). */
const EXTENSIONS: readonly number[] = [0, 43, 60, 51];
const MAX_EXTENSIONS = 8;

function decodeIpv6(ip: IpPacket): DecodedPacket {
  const { bytes, onWire } = ip;
  if (bytes.length < 40) return 'cut';
  const payload = bytes.readUInt16BE(4);
  let protocol = bytes[6] ?? 0;
  let start = 40;
  for (let passed = 0; EXTENSIONS.includes(protocol); passed += 1) {
    if (passed === MAX_EXTENSIONS) return 'broken';
    if (start + 8 > bytes.length) return 'cut';
    const length = bytes[start + 1] ?? 0;
    const next = start + (protocol === 51 ? (length + 2) * 4 : (length + 1) * 8);
    protocol = bytes[start] ?? 0;
    start = next;
  }
  if (protocol === FRAGMENT) return 'fragment';
  const end = Math.min(payload === 0 ? bytes.length : 40 + payload, onWire);
  const [source, destination] = [bytes.subarray(8, 24), bytes.subarray(24, 40)].map((part) =>
    ipaddr.fromByteArray([...part]).toString(),
  );
  return decodeTransport(ip, { protocol, ttl: bytes[7] ?? 0, source, destination, start, end });
}

interface Addressed {
  readonly protocol: number;
  readonly ttl: number;
  readonly source: string | undefined;
  readonly destination: string | undefined;
  /** Where the header of TCP or UDP begins, and where the packet ends on the wire. */
  readonly start: number;
  readonly end: number;
}

const UDP = 17;
const TCP = 6;

function decodeTransport({ packet, network, bytes }: IpPacket, ip: Addressed): DecodedPacket {
  const { protocol, start, end, ttl, source = '', destination = '' } = ip;
  if (protocol !== TCP && protocol !== UDP) return 'other';
  const isTcp = protocol === TCP;
  if (end - start < (isTcp ? 20 : 8)) return 'broken';
  if (bytes.length - start < (isTcp ? 20 : 8)) return 'cut';
  const header = isTcp ? ((bytes[start + 12] ?? 0) >> 4) * 4 : 8;
  if (header < 8 || (isTcp && header < 20) || start + header > end) return 'broken';
  const flags = isTcp ? (bytes[start + 13] ?? 0) : 0;
  const payload = bytes.subarray(Math.min(start + header, bytes.length), Math.min(end, bytes.length));
  return {
    transport: isTcp ? 'tcp' : 'udp',
    at: packet.at,
    source,
    sourcePort: bytes.readUInt16BE(start),
    destination,
    destinationPort: bytes.readUInt16BE(start + 2),
    ttl,
    port: network.port,
    direction: network.direction,
    sequence: isTcp ? bytes.readUInt32BE(start + 4) : 0,
    acknowledged: isTcp ? bytes.readUInt32BE(start + 8) : 0,
    flags: { fin: (flags & 1) !== 0, syn: (flags & 2) !== 0, rst: (flags & 4) !== 0, ack: (flags & 16) !== 0 },
    payload,
    missing: Math.max(0, end - start - header - payload.length),
  };
}
