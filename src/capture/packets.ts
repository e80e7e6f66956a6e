import ipaddr from 'ipaddr.js';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';
import { Cursor } from './bytes.ts';

export interface RawPacket {
  /** If the file has only relative times, this is the time since the start of the capture or since midnight. */
  readonly at: EpochMs;
  /** See https://www.tcpdump.org/linktypes.html. Text dumps do not contain this number. */
  readonly link: number | 'text';
  /** Usually a view of a larger buffer. */
  readonly bytes: Buffer;
  readonly length: number;
  readonly port: string | null;
  /** Received (`in`) or sent (`out`) by the capturing device. */
  readonly direction: 'in' | 'out' | null;
}

/** Information about a capture file, collected while the file is read. */
export class CaptureFile {
  readonly file: string;
  format: 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump' | null = null;
  packets = 0;
  /** `lost` counts packets with missing lines in a text dump. */
  readonly unread: Record<'fragment' | 'cut' | 'broken' | 'lost', number> = { fragment: 0, cut: 0, broken: 0, lost: 0 };
  /** Packets that may contain a connection but cannot be decoded, by the name of the format. */
  readonly undecoded = new Map<string, number>();
  startedAt: EpochMs | null = null;
  device: string | null = null;
  /** Set if times are relative to the start of the capture or to midnight. */
  isRelative = false;
  /**
   * Connections that were not followed: `excess` counts those beyond the limit, and `others` those to other servers.
   */
  excess = 0;
  others = 0;
  /** Set if at least one server or resolver responded, which shows that the capture contains both directions. */
  sawAnswers = false;
  readonly dns: { readonly name: string; readonly answers: readonly string[]; readonly resolver: string }[] = [];
  /** The reason why reading stopped before the end of the file. */
  problem: string | null = null;

  constructor(file: string) {
    this.file = file;
  }
}

export interface Segment extends Pick<RawPacket, 'at' | 'port' | 'direction'> {
  readonly isTcp: boolean;
  readonly source: HostPort;
  readonly destination: HostPort;
  /** In IPv6, this field is called the hop limit. */
  readonly ttl: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: Readonly<Record<'syn' | 'ack' | 'fin' | 'rst', boolean>>;
  readonly payload: Buffer;
  /** The number of payload bytes that were not captured. */
  readonly missing: number;
}

/** A device or the server rejected a connection with an ICMP message, which quotes the packet that it rejects. */
export interface Rejection extends Pick<RawPacket, 'port' | 'direction'> {
  readonly by: string;
  readonly reason: string;
  readonly source: HostPort;
  readonly destination: HostPort;
}

/**
 * `cut`: the snaplen cut off the ports. `broken`: the lengths contradict each other. `other`: a protocol that cannot
 * contain a connection. `undecoded` is the name of a format that can contain one.
 */
type Unread = 'fragment' | 'cut' | 'broken' | 'other' | { readonly undecoded: string };

const [ICMP, IP_IN_IP, TCP, UDP, IPV6_IN_IP, GRE, ICMPV6] = [1, 4, 6, 17, 41, 47, 58];
/** The minimum header sizes, by IP protocol number. */
const HEADER_SIZES: ReadonlyMap<number, number> = new Map([
  [TCP, 20],
  [UDP, 8],
]);
/** Encrypted or rare tunnels, by IP protocol number. */
const UNDECODED_PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [50, 'IPsec ESP'],
  [94, 'IPIP (protocol 94)'],
  [97, 'EtherIP'],
  [115, 'L2TP'],
]);
const VXLAN_PORT = 4789;
const MAX_TUNNELS = 4;

/** Never throws. */
export function decodePacket(packet: RawPacket): Segment | Rejection | Unread {
  const start = startOf(packet);
  if (typeof start !== 'number') return start;
  // Text dumps do not contain the packet's length, so the length in the IP header is used.
  const length = packet.link === 'text' ? Number.POSITIVE_INFINITY : packet.length - start;
  return decodeIp({ ...legOf(packet), at: packet.at }, packet.bytes.subarray(start), length, MAX_TUNNELS);
}

type Sighting = Pick<RawPacket, 'at' | 'port' | 'direction'>;

/** @param onWire the number of bytes that the packet had before the capture cut it off */
function decodeIp(seen: Sighting, bytes: Buffer, onWire: number, tunnels: number): Segment | Rejection | Unread {
  const ip = ipOf(bytes);
  if (typeof ip === 'string') return ip;
  const body = bytes.subarray(ip.start);
  const length = Math.min(ip.length, onWire - ip.start);
  const undecoded = UNDECODED_PROTOCOLS.get(ip.protocol);
  if (undecoded !== undefined) return { undecoded };
  if (ip.protocol === ICMP || ip.protocol === ICMPV6) return rejectionOf(seen, ip, body);
  const inner = innerStart(ip.protocol, body);
  if (typeof inner === 'number' && tunnels === 0) return { undecoded: 'nested tunnels' };
  if (typeof inner === 'number') return decodeIp(seen, body.subarray(inner), length - inner, tunnels - 1);
  return inner ?? segmentOf(seen, ip, body, length);
}

/** Returns where the inner IP packet of a tunnel starts, or null if the packet is no tunnel. */
function innerStart(protocol: number, body: Buffer): number | Unread | null {
  if (protocol === IP_IN_IP || protocol === IPV6_IN_IP) return 0;
  if (protocol === GRE) return innerOfGre(body);
  // A VXLAN header of 8 bytes is followed by an Ethernet frame (RFC 7348 §5).
  const isVxlan = protocol === UDP && body.length >= 16 && body.readUInt16BE(2) === VXLAN_PORT;
  return isVxlan ? offset(16, startOfIp(body.subarray(16), ETHERNET)) : null;
}

/** The checksum, key and sequence number are optional, with 4 bytes each (RFC 2784 §2, RFC 2890 §2). */
function innerOfGre(body: Buffer): number | Unread {
  if (body.length < 4) return 'cut';
  const flags = body.readUInt16BE(0);
  if (flags % 8 !== 0) return { undecoded: 'PPTP' };
  const size = 4 + [0x8000, 0x2000, 0x1000].filter((flag) => (flags & flag) !== 0).length * 4;
  if (body.readUInt16BE(2) === 0x6558) return offset(size, startOfIp(body.subarray(size), ETHERNET));
  return startOfIp(body, [2, size]);
}

function offset(by: number, start: number | Unread): number | Unread {
  return typeof start === 'number' ? by + start : start;
}

function segmentOf(seen: Sighting, ip: IpHeader, body: Buffer, length: number): Segment | Unread {
  const least = HEADER_SIZES.get(ip.protocol);
  if (least === undefined) return 'other';
  const isTcp = ip.protocol === TCP;
  const header = new Cursor(body);
  const [sourcePort, destinationPort] = [header.number(2), header.number(2)];
  const [sequence, acknowledged] = isTcp ? [header.number(4), header.number(4)] : [0, 0];
  const [size, bits] = isTcp ? [(header.number(1) >> 4) * 4, header.number(1)] : [least, 0];
  if (length < least) return 'broken';
  if (header.isCut) return 'cut';
  if (size < least || size > length) return 'broken';
  header.skip(size - (isTcp ? 14 : 4));
  const payload = header.take(length - size);
  return {
    ...seen,
    isTcp,
    source: { host: ip.source, port: sourcePort },
    destination: { host: ip.destination, port: destinationPort },
    ttl: ip.ttl,
    sequence,
    acknowledged,
    flags: { fin: (bits & 1) !== 0, syn: (bits & 2) !== 0, rst: (bits & 4) !== 0, ack: (bits & 16) !== 0 },
    payload,
    missing: length - size - payload.length,
  };
}

/** Codes of "destination unreachable" (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1). */
const UNREACHABLE: Readonly<Record<4 | 6, ReadonlyMap<number, string>>> = {
  4: new Map([
    [0, 'network unreachable'],
    [1, 'host unreachable'],
    [3, 'port unreachable'],
    [9, 'network administratively prohibited'],
    [10, 'host administratively prohibited'],
    [13, 'communication administratively prohibited'],
  ]),
  6: new Map([
    [0, 'no route to destination'],
    [1, 'communication administratively prohibited'],
    [3, 'address unreachable'],
    [4, 'port unreachable'],
    [5, 'source address failed ingress policy'],
    [6, 'reject route to destination'],
  ]),
};

function rejectionOf(
  { port, direction }: Sighting,
  { protocol, source: by }: IpHeader,
  body: Buffer,
): Rejection | Unread {
  const [version, type] = protocol === ICMP ? ([4, 3] as const) : ([6, 1] as const);
  if (body.length < 8 || body[0] !== type) return 'other';
  const reason = UNREACHABLE[version].get(body.readUInt8(1));
  // At least the first 8 bytes of the rejected packet are quoted, which include its ports.
  const quoted = ipOf(body.subarray(8));
  if (reason === undefined || typeof quoted === 'string' || quoted.protocol !== TCP) return 'other';
  const header = new Cursor(body.subarray(8 + quoted.start));
  const source = { host: quoted.source, port: header.number(2) };
  const destination = { host: quoted.destination, port: header.number(2) };
  return header.isCut ? 'cut' : { port, direction, by, reason, source, destination };
}

type EtherTypePlace = readonly [typeAt: number, end: number];

const ETHERNET: EtherTypePlace = [12, 14];
/** Offset of the EtherType and size of the header, for Ethernet and Linux cooked capture versions 1 and 2. */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], EtherTypePlace> = new Map([
  [1, ETHERNET],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/**
 * Link types whose packets start with IP: LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW on some systems. The
 * loopback types LINKTYPE_NULL and LINKTYPE_LOOP start with the address family in 4 bytes.
 */
const IP_AT: ReadonlyMap<RawPacket['link'], number> = new Map([
  ...[101, 228, 229, 12, 14].map((link) => [link, 0] as const),
  ...[0, 108].map((link) => [link, 4] as const),
]);

function startOf({ link, bytes }: RawPacket): number | Unread {
  if (link === 'text') return startInText(bytes) ?? 'other';
  const place = ETHERTYPE_AT.get(link);
  return place === undefined
    ? (IP_AT.get(link) ?? { undecoded: `link type ${String(link)}` })
    : startOfIp(bytes, place);
}

/** Linux cooked headers contain the direction, and version 2 also contains the index of the interface. */
function legOf({ link, bytes, port, direction }: RawPacket): Pick<RawPacket, 'port' | 'direction'> {
  if (link !== 113 && link !== 276) return { port, direction };
  // Packet type 4 means that the capturing host sent the packet.
  const isSent = bytes[link === 113 ? 1 : 10] === 4;
  const own = link === 276 ? (port ?? `if${String(bytes.readUInt32BE(4))}`) : port;
  return { port: own, direction: isSent ? 'out' : 'in' };
}

const VLANS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 4;
/** Number of bytes before the IP header: none for IPv4 and IPv6, and the header size for PPPoE (RFC 2516). */
const NETWORKS: ReadonlyMap<number, number> = new Map([
  [0x0800, 0],
  [0x86dd, 0],
  [0x8864, 8],
]);
const MPLS: readonly number[] = [0x8847, 0x8848];
/** EtherTypes above this value are protocols. Lower values are lengths of frames without IP. */
const LEAST_ETHERTYPE = 0x0600;
/** ARP, RARP, slow protocols, PPPoE discovery, 802.1X, LLDP, PTP, and the heartbeat of FortiGate clusters. */
const NEVER_IP: readonly number[] = [0x0806, 0x8035, 0x8809, 0x8863, 0x888e, 0x88cc, 0x88f7, 0x8890, 0x8891, 0x8893];

function startOfIp(bytes: Buffer, [typeAt, end]: EtherTypePlace): number | Unread {
  let [at, start] = [typeAt, end];
  for (let vlans = 0; vlans <= MAX_VLANS && Math.max(at + 2, start) <= bytes.length; vlans += 1) {
    const type = bytes.readUInt16BE(at);
    const own = NETWORKS.get(type);
    if (own !== undefined) return start + own;
    if (MPLS.includes(type)) return afterLabels(bytes, start);
    if (!VLANS.includes(type)) {
      const isOther = type < LEAST_ETHERTYPE || NEVER_IP.includes(type);
      return isOther ? 'other' : { undecoded: `EtherType 0x${type.toString(16).padStart(4, '0')}` };
    }
    [at, start] = [start + 2, start + 4];
  }
  return 'other';
}

/** A bit marks the last MPLS label of 4 bytes (RFC 3032 §2.1). What follows is not specified, but usually IP. */
function afterLabels(bytes: Buffer, first: number): number | Unread {
  let start = first;
  while (start + 4 < bytes.length && bytes.readUInt8(start + 2) % 2 === 0) start += 4;
  const version = (bytes[start + 4] ?? 0) >> 4;
  return version === 4 || version === 6 ? start + 4 : { undecoded: 'MPLS without IP' };
}

/** A dump does not contain the link type, so the type that results in the most plausible IP packet is chosen. */
function startInText(bytes: Buffer): number | null {
  // "tcpdump -X" prints the PPPoE header, in which version and type are both 1.
  const starts = [0, ...(bytes[0] === 0x11 ? [8] : [])];
  const framed = [...ETHERTYPE_AT.values()].map((place) => startOfIp(bytes, place));
  starts.push(...framed.filter((start) => typeof start === 'number'));
  const fitting = starts.flatMap((start) => {
    const ip = ipOf(bytes.subarray(start));
    if (typeof ip === 'string') return ip === 'fragment' ? [{ start, isWhole: false }] : [];
    return [{ start, isWhole: start + ip.start + ip.length === bytes.length }];
  });
  return (fitting.find(({ isWhole }) => isWhole) ?? fitting.at(-1))?.start ?? null;
}

type IpUnread = Extract<Unread, string>;

interface IpHeader extends Pick<Segment, 'ttl'> {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly start: number;
  readonly length: number;
}

/** If the network card segments packets (TSO), the length in the header is zero and the captured length is used. */
function ipOf(bytes: Buffer): IpHeader | IpUnread {
  const version = (bytes[0] ?? 0) >> 4;
  return version === 4 ? ipv4Of(bytes) : version === 6 ? ipv6Of(bytes) : 'other';
}

function ipv4Of(bytes: Buffer): IpHeader | IpUnread {
  if (bytes.length < 20) return 'cut';
  const start = (bytes.readUInt8(0) % 16) * 4;
  const length = (bytes.readUInt16BE(2) || bytes.length) - start;
  if (start < 20 || length < 0) return 'broken';
  // The packet is an IP fragment if more fragments follow or if its fragment offset is not zero.
  if (bytes.readUInt16BE(6) % 0x4000 !== 0) return 'fragment';
  const [ttl, protocol] = [bytes.readUInt8(8), bytes.readUInt8(9)];
  const [source, destination] = [addressAt(bytes, 12, 4), addressAt(bytes, 16, 4)];
  return { protocol, ttl, source, destination, start, length };
}

function addressAt(bytes: Buffer, start: number, length: 4 | 16): string {
  return ipaddr.fromByteArray([...bytes.subarray(start, start + length)]).toString();
}

const [FRAGMENT, AUTHENTICATION] = [44, 51];
/** Hop-by-hop options, routing, destination options, mobility, and the authentication header (RFC 8200 §4). */
const EXTENSIONS: readonly number[] = [0, 43, 60, 135, AUTHENTICATION];
const MAX_EXTENSIONS = 8;

function ipv6Of(bytes: Buffer): IpHeader | IpUnread {
  if (bytes.length < 40) return 'cut';
  const ttl = bytes.readUInt8(7);
  const end = 40 + (bytes.readUInt16BE(4) || bytes.length - 40);
  const [source, destination] = [addressAt(bytes, 8, 16), addressAt(bytes, 24, 16)];
  let [protocol, start] = [bytes.readUInt8(6), 40];
  for (let count = 0; count < MAX_EXTENSIONS && EXTENSIONS.includes(protocol); count += 1) {
    if (bytes.length < start + 2) return 'cut';
    const units = bytes.readUInt8(start + 1);
    // The length of the authentication header is in units of 4 bytes (RFC 4302 §2.2).
    const size = protocol === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8;
    [protocol, start] = [bytes.readUInt8(start), start + size];
  }
  if (protocol === FRAGMENT) return 'fragment';
  return start > end ? 'broken' : { protocol, ttl, source, destination, start, length: end - start };
}
