import ipaddr from 'ipaddr.js';
import type { EpochMs } from '../core/clock.ts';
import { Cursor } from './bytes.ts';

/** One captured packet, from the link header on. */
export interface RawPacket {
  /** Time of capture. In a file with relative times, the time since its beginning or since midnight. */
  readonly at: EpochMs;
  /**
   * Number of the link type (https://www.tcpdump.org/linktypes.html), or `text` for a dump, which does not contain it.
   */
  readonly link: number | 'text';
  /** The captured bytes. Valid until the next packet is read. */
  readonly bytes: Buffer;
  /** Length on the wire in bytes. */
  readonly length: number;
  /** Name of the interface. Null if the file does not contain it. */
  readonly port: string | null;
  /** Whether the capturing device received or sent the packet. Null if the file does not contain it. */
  readonly direction: 'in' | 'out' | null;
}

/** Facts about one file, up to where it was read. */
export class CaptureFile {
  /** As typed, and its position among the typed files. */
  readonly file: string;
  readonly order: number;
  format: 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump' | null = null;
  packets = 0;
  /** Number of unreadable packets by reason, including packets of a dump with a missing line. */
  readonly unread: Record<Exclude<Undecoded, 'other'> | 'lost', number> = { fragment: 0, cut: 0, broken: 0, lost: 0 };
  /** Time of the first packet. Null if there is none. */
  startedAt: EpochMs | null = null;
  /** The capturing device, as named in its prompt. Null if the file does not contain it. */
  device: string | null = null;
  /** Times are relative to the beginning of the capture or to midnight, not absolute. */
  isRelative = false;
  /** Connections that were not followed because too many were open at the same time, and connections to other hosts. */
  excess = 0;
  others = 0;
  /** Some server answered, so the capture contains both directions. */
  sawAnswers = false;
  /** Resolvers' answers for names of interest. */
  readonly dns: { readonly name: string; readonly answers: readonly string[]; readonly resolver: string }[] = [];
  /** Why reading stopped before the end of the file. Null if it did not. */
  problem: string | null = null;

  constructor(file: string, order: number) {
    this.file = file;
    this.order = order;
  }
}

/** TCP or UDP content of one packet. */
export interface Segment extends Pick<RawPacket, 'at' | 'port' | 'direction'> {
  readonly transport: 'tcp' | 'udp';
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Remaining hops: TTL or hop limit. */
  readonly ttl: number;
  /** For TCP. Zero for UDP. */
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: Readonly<Record<'syn' | 'ack' | 'fin' | 'rst', boolean>>;
  readonly payload: Buffer;
  /** Number of payload bytes in the packet that are not in the capture. */
  readonly missing: number;
}

/**
 * Why there is no segment: `fragment` of an IP packet, `cut` before the ports (snaplen), `broken` if lengths contradict
 * each other, `other` for all other protocols.
 */
type Undecoded = 'fragment' | 'cut' | 'broken' | 'other';

/** Parses the headers of one packet, from the link to the ports. Never throws. */
export function decodePacket(packet: RawPacket): Segment | Undecoded {
  const network = networkOf(packet);
  if (network === null) return 'other';
  const { start, port, direction } = network;
  const bytes = packet.bytes.subarray(start);
  const ip = ipOf(bytes);
  if (typeof ip === 'string') return ip;
  // A dump does not contain the length of the packet, but the IP header does.
  const length = packet.link === 'text' ? ip.length : Math.min(ip.length, packet.length - start - ip.start);
  const transport = transportOf(new Cursor(bytes.subarray(ip.start)), ip.protocol, length);
  if (typeof transport === 'string') return transport;
  const { source, destination, ttl } = ip;
  return { ...transport, source, destination, ttl, at: packet.at, port, direction };
}

/**
 * Link types, with the offsets of the EtherType and of the end of the header: Ethernet, Linux cooked versions 1 and 2.
 */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], readonly [typeAt: number, end: number]> = new Map([
  [1, [12, 14]],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/** LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW on some systems. */
const RAW: readonly RawPacket['link'][] = [101, 228, 229, 12, 14];

/** Returns the offset of the IP header, and the interface and direction of the packet. */
function networkOf(packet: RawPacket): (Pick<RawPacket, 'port' | 'direction'> & { readonly start: number }) | null {
  const { link, bytes, port, direction } = packet;
  const start = RAW.includes(link)
    ? 0
    : link === 'text'
      ? startInText(bytes)
      : startOfIp(bytes, ETHERTYPE_AT.get(link));
  if (start === null) return null;
  if (link !== 113 && link !== 276) return { start, port, direction };
  // The packet type is 4 if this host sent the packet.
  const isSent = bytes[link === 113 ? 1 : 10] === 4;
  const own = link === 276 ? (port ?? `if${String(bytes.readUInt32BE(4))}`) : port;
  return { start, port: own, direction: isSent ? 'out' : 'in' };
}

const VLANS: readonly number[] = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 4;
/** IPv4, IPv6, and PPPoE with the size of its header (RFC 2516). */
const NETWORKS: ReadonlyMap<number, number> = new Map([
  [0x0800, 0],
  [0x86dd, 0],
  [0x8864, 8],
]);

/** Follows EtherTypes to the IP header. Returns null for other protocols. */
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

/** A dump does not specify its first header. Chooses the one after which an IP packet fits best. */
function startInText(bytes: Buffer): number | null {
  // "tcpdump -X" prints PPPoE with its header, which has version and type 1.
  const starts = [0, ...(bytes[0] === 0x11 ? [8] : [])];
  starts.push(...[...ETHERTYPE_AT.values()].flatMap((header) => startOfIp(bytes, header) ?? []));
  const fitting = starts.flatMap((start) => {
    const ip = ipOf(bytes.subarray(start));
    return typeof ip === 'string' && ip !== 'fragment' ? [] : [{ start, ip }];
  });
  const isWhole = ({ start, ip }: (typeof fitting)[number]): boolean =>
    typeof ip !== 'string' && start + ip.start + ip.length === bytes.length;
  return (fitting.find(isWhole) ?? fitting.at(-1))?.start ?? null;
}

interface IpHeader extends Pick<Segment, 'source' | 'destination' | 'ttl'> {
  readonly protocol: number;
  /** Offset and length of TCP or UDP. */
  readonly start: number;
  readonly length: number;
}

/** Lengths are zero if the network card segments the packet (TSO). In that case, the captured length is used. */
function ipOf(bytes: Buffer): IpHeader | Undecoded {
  const version = (bytes[0] ?? 0) >> 4;
  return version === 4 ? ipv4Of(bytes) : version === 6 ? ipv6Of(bytes) : 'other';
}

function ipv4Of(bytes: Buffer): IpHeader | Undecoded {
  if (bytes.length < 20) return 'cut';
  const header = new Cursor(bytes);
  const start = (header.number(1) % 16) * 4;
  header.skip(1);
  const total = header.number(2) || bytes.length;
  header.skip(2);
  // More fragments follow, or this is not the first one.
  const isFragment = header.number(2) % 0x4000 !== 0;
  const [ttl, protocol] = [header.number(1), header.number(1)];
  header.skip(2);
  const [source, destination] = [header.take(4).join('.'), header.take(4).join('.')];
  if (start < 20 || total < start) return 'broken';
  return isFragment ? 'fragment' : { protocol, ttl, source, destination, start, length: total - start };
}

/** Extension headers that are skipped: hop-by-hop, routing, destination (RFC 8200 §4), authentication (RFC 4302). */
const EXTENSIONS: readonly number[] = [0, 43, 60, 51];
const AUTHENTICATION = 51;
const FRAGMENT = 44;
const MAX_EXTENSIONS = 8;

function ipv6Of(bytes: Buffer): IpHeader | Undecoded {
  if (bytes.length < 40) return 'cut';
  const header = new Cursor(bytes);
  header.skip(4);
  const payload = header.number(2) || bytes.length - 40;
  let protocol = header.number(1);
  const ttl = header.number(1);
  const address = (): string => ipaddr.fromByteArray([...header.take(16)]).toString();
  const [source, destination] = [address(), address()];
  for (let passed = 0; EXTENSIONS.includes(protocol); passed += 1) {
    if (passed === MAX_EXTENSIONS) return 'broken';
    const [next, length] = [header.number(1), header.number(1)];
    header.skip(protocol === AUTHENTICATION ? length * 4 + 6 : length * 8 + 6);
    if (header.isCut) return 'cut';
    protocol = next;
  }
  const start = bytes.length - header.left;
  if (protocol === FRAGMENT) return 'fragment';
  return { protocol, ttl, source, destination, start, length: 40 + payload - start };
}

const TCP = 6;
const UDP = 17;

/** @param length of TCP or UDP including its header, on the wire */
function transportOf(
  header: Cursor,
  protocol: number,
  length: number,
): Omit<Segment, 'source' | 'destination' | 'ttl' | 'at' | 'port' | 'direction'> | Undecoded {
  const isTcp = protocol === TCP;
  if (!isTcp && protocol !== UDP) return 'other';
  const [sourcePort, destinationPort] = [header.number(2), header.number(2)];
  const [sequence, acknowledged] = isTcp ? [header.number(4), header.number(4)] : [0, 0];
  const [size, bits] = isTcp ? [(header.number(1) >> 4) * 4, header.number(1)] : [8, 0];
  if (length < (isTcp ? 20 : 8)) return 'broken';
  if (header.isCut) return 'cut';
  if (size < (isTcp ? 20 : 8) || size > length) return 'broken';
  header.skip(size - (isTcp ? 14 : 4));
  const payload = header.take(length - size);
  return {
    transport: isTcp ? 'tcp' : 'udp',
    sourcePort,
    destinationPort,
    sequence,
    acknowledged,
    flags: { fin: (bits & 1) !== 0, syn: (bits & 2) !== 0, rst: (bits & 4) !== 0, ack: (bits & 16) !== 0 },
    payload,
    missing: length - size - payload.length,
  };
}
