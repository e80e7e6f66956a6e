import ipaddr from 'ipaddr.js';
import type { HostPort } from '../core/addresses.ts';
import type { EpochMs } from '../core/clock.ts';
import { Cursor } from './bytes.ts';

/** A captured packet, including its link-layer header. */
export interface RawPacket {
  /**
   * The time at which the packet was captured. If the file has only relative times, this is the time since the start of
   * the capture or since midnight.
   */
  readonly at: EpochMs;
  /**
   * The link type number (https://www.tcpdump.org/linktypes.html). Text dumps do not contain the number, so their link
   * type is `text`.
   */
  readonly link: number | 'text';
  /** The captured bytes, which are usually part of a larger buffer. */
  readonly bytes: Buffer;
  /** The original length of the packet in bytes. */
  readonly length: number;
  /** The name of the network interface. Null if the file does not contain the name. */
  readonly port: string | null;
  /**
   * The packet's direction at the capturing device: received (`in`) or sent (`out`). Null if the file does not contain
   * the direction.
   */
  readonly direction: 'in' | 'out' | null;
}

/** Information about a capture file that is collected while the file is read. */
export class CaptureFile {
  /** The file name as typed. */
  readonly file: string;
  format: 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump' | null = null;
  packets = 0;
  /** The number of unreadable packets by reason. `lost` counts packets with missing lines in a text dump. */
  readonly unread: Record<Exclude<Undecoded, 'other'> | 'lost', number> = { fragment: 0, cut: 0, broken: 0, lost: 0 };
  /** The time of the first packet. Null if the file contains no packets. */
  startedAt: EpochMs | null = null;
  /** The name of the capturing device, taken from its command prompt. Null if the file does not contain a prompt. */
  device: string | null = null;
  /** Set if times are relative to the start of the capture or to midnight. */
  isRelative = false;
  /**
   * The number of connections that were not followed: `excess` for connections beyond the limit, and `others` for
   * connections to other servers.
   */
  excess = 0;
  others = 0;
  /** Set if at least one server responded, which shows that the capture contains both directions. */
  sawAnswers = false;
  /** DNS answers about the names of the target hosts. */
  readonly dns: { readonly name: string; readonly answers: readonly string[]; readonly resolver: string }[] = [];
  /** The reason why reading stopped before the end of the file. Null if the whole file was read. */
  problem: string | null = null;

  constructor(file: string) {
    this.file = file;
  }
}

/** The TCP or UDP content of a packet. */
export interface Segment extends Pick<RawPacket, 'at' | 'port' | 'direction'> {
  /** True for TCP and false for UDP. */
  readonly isTcp: boolean;
  readonly source: HostPort;
  readonly destination: HostPort;
  /** The remaining number of hops, which is called TTL in IPv4 and hop limit in IPv6. */
  readonly ttl: number;
  /** The TCP sequence number. Zero for UDP. */
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: Readonly<Record<'syn' | 'ack' | 'fin' | 'rst', boolean>>;
  readonly payload: Buffer;
  /** The number of payload bytes that were not captured. */
  readonly missing: number;
}

/**
 * The reason why a packet could not be decoded. `fragment`: the packet is an IP fragment. `cut`: the snaplen cut off
 * the ports. `broken`: the packet contains contradictory lengths. `other`: the packet has a different protocol.
 */
type Undecoded = 'fragment' | 'cut' | 'broken' | 'other';

const TCP = 6;
/** The minimum header sizes of TCP and UDP, by IP protocol number. */
const HEADER_SIZES: ReadonlyMap<number, number> = new Map([
  [TCP, 20],
  [17, 8],
]);

/** Parses a packet's headers from the link layer to the ports. Never throws. */
export function decodePacket(packet: RawPacket): Segment | Undecoded {
  const start = startOf(packet);
  if (start === null) return 'other';
  const bytes = packet.bytes.subarray(start);
  const ip = ipOf(bytes);
  if (typeof ip === 'string') return ip;
  // Text dumps do not contain the packet's length, so the length in the IP header is used.
  const length = packet.link === 'text' ? ip.length : Math.min(ip.length, packet.length - start - ip.start);
  const least = HEADER_SIZES.get(ip.protocol);
  if (least === undefined) return 'other';
  const isTcp = ip.protocol === TCP;
  const header = new Cursor(bytes.subarray(ip.start));
  const [sourcePort, destinationPort] = [header.number(2), header.number(2)];
  const [sequence, acknowledged] = isTcp ? [header.number(4), header.number(4)] : [0, 0];
  const [size, bits] = isTcp ? [(header.number(1) >> 4) * 4, header.number(1)] : [least, 0];
  if (length < least) return 'broken';
  if (header.isCut) return 'cut';
  if (size < least || size > length) return 'broken';
  header.skip(size - (isTcp ? 14 : 4));
  const payload = header.take(length - size);
  return {
    at: packet.at,
    ...legOf(packet),
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

/**
 * For each link type, the offset of the EtherType and the size of the header: Ethernet and Linux cooked capture
 * versions 1 and 2.
 */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], readonly [typeAt: number, end: number]> = new Map([
  [1, [12, 14]],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/**
 * The link types without a link-layer header: LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW on some systems.
 */
const RAW: readonly RawPacket['link'][] = [101, 228, 229, 12, 14];

/** Returns the offset of the IP header, or null if the packet is not an IP packet. */
function startOf({ link, bytes }: RawPacket): number | null {
  if (RAW.includes(link)) return 0;
  return link === 'text' ? startInText(bytes) : startOfIp(bytes, ETHERTYPE_AT.get(link));
}

/**
 * Returns the packet's interface and direction. Linux cooked headers contain the direction, and version 2 also contains
 * the index of the interface.
 */
function legOf({ link, bytes, port, direction }: RawPacket): Pick<RawPacket, 'port' | 'direction'> {
  if (link !== 113 && link !== 276) return { port, direction };
  // The packet type 4 means that the packet was sent by the capturing host.
  const isSent = bytes[link === 113 ? 1 : 10] === 4;
  const own = link === 276 ? (port ?? `if${String(bytes.readUInt32BE(4))}`) : port;
  return { port: own, direction: isSent ? 'out' : 'in' };
}

const VLANS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 4;
/**
 * For each EtherType, the number of bytes before the IP header: none for IPv4 and IPv6, and the header size for PPPoE
 * (RFC 2516).
 */
const NETWORKS: ReadonlyMap<number, number> = new Map([
  [0x0800, 0],
  [0x86dd, 0],
  [0x8864, 8],
]);

/** Skips nested EtherTypes to find the IP header. Returns null if the packet is not an IP packet. */
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

/**
 * Returns the offset of the IP header in a packet from a text dump. The dump does not contain the link type, so the
 * function chooses the link type that results in the most plausible IP packet.
 */
function startInText(bytes: Buffer): number | null {
  // "tcpdump -X" prints the PPPoE header, in which version and type are both 1.
  const starts = [0, ...(bytes[0] === 0x11 ? [8] : [])];
  starts.push(...[...ETHERTYPE_AT.values()].flatMap((header) => startOfIp(bytes, header) ?? []));
  const fitting = starts.flatMap((start) => {
    const ip = ipOf(bytes.subarray(start));
    if (typeof ip === 'string') return ip === 'fragment' ? [{ start, isWhole: false }] : [];
    return [{ start, isWhole: start + ip.start + ip.length === bytes.length }];
  });
  return (fitting.find(({ isWhole }) => isWhole) ?? fitting.at(-1))?.start ?? null;
}

interface IpHeader extends Pick<Segment, 'ttl'> {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** The offset of the TCP or UDP header. */
  readonly start: number;
  readonly length: number;
}

/**
 * Parses an IPv4 or IPv6 header. If the network card segments packets (TSO), the length in the header is zero and the
 * captured length is used.
 */
function ipOf(bytes: Buffer): IpHeader | Undecoded {
  const version = (bytes[0] ?? 0) >> 4;
  return version === 4 ? ipv4Of(bytes) : version === 6 ? ipv6Of(bytes) : 'other';
}

function ipv4Of(bytes: Buffer): IpHeader | Undecoded {
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

const FRAGMENT = 44;

/**
 * Parses an IPv6 header. Except for the fragment header, extension headers are not supported. TCP and DNS packets have
 * no other extension headers (RFC 8200 §4) in practice.
 */
function ipv6Of(bytes: Buffer): IpHeader | Undecoded {
  if (bytes.length < 40) return 'cut';
  const [length, protocol, ttl] = [bytes.readUInt16BE(4) || bytes.length - 40, bytes.readUInt8(6), bytes.readUInt8(7)];
  if (protocol === FRAGMENT) return 'fragment';
  const [source, destination] = [addressAt(bytes, 8, 16), addressAt(bytes, 24, 16)];
  return { protocol, ttl, source, destination, start: 40, length };
}
