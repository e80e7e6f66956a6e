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
  readonly unread: Record<Exclude<Undecoded, 'other'> | 'lost', number> = { fragment: 0, cut: 0, broken: 0, lost: 0 };
  startedAt: EpochMs | null = null;
  device: string | null = null;
  /** Set if times are relative to the start of the capture or to midnight. */
  isRelative = false;
  /**
   * Connections that were not followed: `excess` counts those beyond the limit, and `others` those to other servers.
   */
  excess = 0;
  others = 0;
  /** Set if at least one server responded, which shows that the capture contains both directions. */
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

/** `cut`: the snaplen cut off the ports. `broken`: the lengths contradict each other. `other`: another protocol. */
type Undecoded = 'fragment' | 'cut' | 'broken' | 'other';

const TCP = 6;
/** The minimum header sizes of TCP and UDP, by IP protocol number. */
const HEADER_SIZES: ReadonlyMap<number, number> = new Map([
  [TCP, 20],
  [17, 8],
]);

/** Never throws. */
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

/** Offset of the EtherType and size of the header, for Ethernet and Linux cooked capture versions 1 and 2. */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], readonly [typeAt: number, end: number]> = new Map([
  [1, [12, 14]],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/** LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW on some systems. */
const RAW: readonly RawPacket['link'][] = [101, 228, 229, 12, 14];

function startOf({ link, bytes }: RawPacket): number | null {
  if (RAW.includes(link)) return 0;
  return link === 'text' ? startInText(bytes) : startOfIp(bytes, ETHERTYPE_AT.get(link));
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

/** A dump does not contain the link type, so the type that results in the most plausible IP packet is chosen. */
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
  readonly start: number;
  readonly length: number;
}

/** If the network card segments packets (TSO), the length in the header is zero and the captured length is used. */
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
 * Extension headers other than fragments are not supported. In practice, TCP and DNS packets have none (RFC 8200 §4).
 */
function ipv6Of(bytes: Buffer): IpHeader | Undecoded {
  if (bytes.length < 40) return 'cut';
  const [length, protocol, ttl] = [bytes.readUInt16BE(4) || bytes.length - 40, bytes.readUInt8(6), bytes.readUInt8(7)];
  if (protocol === FRAGMENT) return 'fragment';
  const [source, destination] = [addressAt(bytes, 8, 16), addressAt(bytes, 24, 16)];
  return { protocol, ttl, source, destination, start: 40, length };
}
