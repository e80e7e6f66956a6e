import ipaddr from 'ipaddr.js';
import type { EpochMs } from '../core/clock.ts';
import { Cursor } from './bytes.ts';

/** One packet of a capture, from the link header on. */
export interface RawPacket {
  /** When it was captured. Of a file with relative times: since its beginning, or since midnight. */
  readonly at: EpochMs;
  /** Number of the link type (https://www.tcpdump.org/linktypes.html), or `text`: a dump does not say which. */
  readonly link: number | 'text';
  /** As far as it was captured. Valid until the next packet is read. */
  readonly bytes: Buffer;
  /** Bytes that it had on the wire. */
  readonly length: number;
  /** Name of the interface; null: the file does not say. */
  readonly port: string | null;
  /** Whether the device that captured received or sent it; null: the file does not say. */
  readonly direction: 'in' | 'out' | null;
}

/** What was read of one file, as far as it was read. */
export class CaptureFile {
  /** As a person typed it, and its place among those that were typed. */
  readonly file: string;
  readonly order: number;
  format: 'pcap' | 'pcapng' | 'fortigate' | 'tcpdump' | null = null;
  packets = 0;
  /** Packets that could not be read, and why: also packets of a dump of which a line is missing. */
  readonly unread: Record<Exclude<Undecoded, 'other'> | 'lost', number> = { fragment: 0, cut: 0, broken: 0, lost: 0 };
  /** Time of the first packet; null: there is none. */
  startedAt: EpochMs | null = null;
  /** The device that made it, as its prompt names it; null: the file does not say. */
  device: string | null = null;
  /** Packets are dated from the beginning of the capture, or from midnight, and not absolutely. */
  isRelative = false;
  /** Connections that were not followed because too many were open at once, and those to anybody else. */
  excess = 0;
  others = 0;
  /** Some server answered, so that it sees both directions. */
  sawAnswers = false;
  /** What resolvers answered about names of interest. */
  readonly dns: { readonly name: string; readonly answers: readonly string[]; readonly resolver: string }[] = [];
  /** Why reading ended before the end of the file; null: it did not. */
  problem: string | null = null;

  constructor(file: string, order: number) {
    this.file = file;
    this.order = order;
  }
}

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
 * Why there is no segment: `fragment` of an IP packet, `cut` before the ports (snaplen), `broken` where lengths
 * contradict each other, `other` for every other protocol.
 */
export type Undecoded = 'fragment' | 'cut' | 'broken' | 'other';

/** Reads the headers of one packet, from the link to the ports. Never throws, whatever the bytes. */
export function decodePacket(packet: RawPacket): Segment | Undecoded {
  const network = networkOf(packet);
  if (network === null) return 'other';
  const { start, port, direction } = network;
  const bytes = packet.bytes.subarray(start);
  const ip = ipOf(bytes);
  if (typeof ip === 'string') return ip;
  // A dump does not say how long the packet was: the IP header does.
  const length = packet.link === 'text' ? ip.length : Math.min(ip.length, packet.length - start - ip.start);
  const transport = transportOf(new Cursor(bytes.subarray(ip.start)), ip.protocol, length);
  if (typeof transport === 'string') return transport;
  const { source, destination, ttl } = ip;
  return { ...transport, source, destination, ttl, at: packet.at, port, direction };
}

/** Link types, and where their EtherType is and their header ends: Ethernet, Linux cooked version 1 and 2. */
const ETHERTYPE_AT: ReadonlyMap<RawPacket['link'], readonly [typeAt: number, end: number]> = new Map([
  [1, [12, 14]],
  [113, [14, 16]],
  [276, [0, 20]],
]);
/** LINKTYPE_RAW, LINKTYPE_IPV4, LINKTYPE_IPV6, and DLT_RAW of some systems. */
const RAW: readonly RawPacket['link'][] = [101, 228, 229, 12, 14];

/** Where the IP header begins, and on which interface and in which direction the packet was seen. */
function networkOf(packet: RawPacket): (Pick<RawPacket, 'port' | 'direction'> & { readonly start: number }) | null {
  const { link, bytes, port, direction } = packet;
  const start = RAW.includes(link)
    ? 0
    : link === 'text'
      ? startInText(bytes)
      : startOfIp(bytes, ETHERTYPE_AT.get(link));
  if (start === null) return null;
  if (link !== 113 && link !== 276) return { start, port, direction };
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
function startInText(bytes: Buffer): number | null {
  // "tcpdump -X" prints PPPoE with its header, of version and type 1.
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
  /** Where TCP or UDP begins, and how long it is. */
  readonly start: number;
  readonly length: number;
}

/** Lengths are zero where the network card cuts the packet (TSO): then it is as long as what was captured. */
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
  // More fragments follow, or it is not the first.
  const isFragment = header.number(2) % 0x4000 !== 0;
  const [ttl, protocol] = [header.number(1), header.number(1)];
  header.skip(2);
  const [source, destination] = [header.take(4).join('.'), header.take(4).join('.')];
  if (start < 20 || total < start) return 'broken';
  return isFragment ? 'fragment' : { protocol, ttl, source, destination, start, length: total - start };
}

/** Extension headers that are passed: hop-by-hop, routing, destination (RFC 8200 §4), authentication (RFC 4302). */
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

/** @param length of TCP or UDP with its header, on the wire */
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
