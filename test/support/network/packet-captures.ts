import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import type { Sandbox } from './sandbox.ts';
import { until } from '../time/until.ts';

/** Sent at the end of a capture: once it is in the file, all earlier packets are in it as well. */
const MARK = 'ftm-watch-capture-ends';

export interface CaptureOrder {
  /** The interface, or `any`. */
  readonly name: string;
  readonly file: string;
  /** An address reached through the interface. */
  readonly peer: string;
  /** A tcpdump expression. */
  readonly filter?: string;
  /** Link type in tcpdump's notation, for an interface with several. */
  readonly link?: 'LINUX_SLL';
}

/** Runs tcpdump in a sandbox during an action and returns its complete output. */
export async function captured(
  sandbox: Sandbox,
  { name, file, peer, filter = 'tcp', link }: CaptureOrder,
  happen: () => Promise<void>,
): Promise<Buffer> {
  const [program = '', ...prefix] = sandbox.prefix;
  // In immediate mode, each packet takes a frame of the size of the snaplen. With the default of 2 MiB, there is
  // space for eight packets on a busy machine.
  const buffer = ['--immediate-mode', '-B', '65536', '-s', '65535', ...(link === undefined ? [] : ['-y', link])];
  const options = ['-U', '-Z', 'root', '-i', name, '-w', file, `(${filter}) or udp port 9`];
  const child = spawn(program, [...prefix, 'tcpdump', ...buffer, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = once(child, 'exit');
  try {
    for await (const line of createInterface({ input: child.stderr })) if (line.includes('listening on')) break;
    await happen();
    sandbox.sh(`bash -c 'printf ${MARK} >/dev/udp/${peer}/9'`);
    return withoutMark(
      await until(
        () => readFile(file),
        (bytes) => bytes.includes(MARK),
        10_000,
      ),
    );
  } finally {
    child.kill('SIGINT');
    await gone;
  }
}

function withoutMark(pcap: Buffer): Buffer {
  const { header, packets } = packetsOf(pcap);
  return pcapOf(
    header,
    packets.filter(({ bytes }) => !bytes.includes(MARK)),
  );
}

export interface WrittenPacket {
  /** The 16-byte record header before it. */
  readonly record: Buffer;
  readonly bytes: Buffer;
}

/** Returns the packets of a pcap file in this machine's byte order. */
export function packetsOf(pcap: Buffer): { readonly header: Buffer; readonly packets: readonly WrittenPacket[] } {
  const packets: WrittenPacket[] = [];
  for (let at = 24; at + 16 <= pcap.length; ) {
    const end = at + 16 + pcap.readUInt32LE(at + 8);
    packets.push({ record: pcap.subarray(at, at + 16), bytes: pcap.subarray(at + 16, end) });
    at = end;
  }
  return { header: pcap.subarray(0, 24), packets };
}

export function pcapOf(header: Buffer, packets: readonly WrittenPacket[]): Buffer {
  return Buffer.concat([header, ...packets.flatMap(({ record, bytes }) => [record, bytes])]);
}

/** Returns the packets in the other byte order, or with nanosecond timestamps. */
export function rewritten(pcap: Buffer, form: 'big-endian' | 'nanoseconds'): Buffer {
  const isBig = form === 'big-endian';
  const { header, packets } = packetsOf(pcap);
  const write = (bytes: Buffer, value: number, at: number): number =>
    isBig ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at);
  const newHeader = Buffer.alloc(24);
  write(newHeader, isBig ? 0xa1b2c3d4 : 0xa1b23c4d, 0);
  write(newHeader, header.readUInt32LE(16), 16);
  write(newHeader, header.readUInt32LE(20), 20);
  return pcapOf(
    newHeader,
    packets.map(({ record, bytes }) => {
      const newRecord = Buffer.alloc(16);
      write(newRecord, record.readUInt32LE(0), 0);
      write(newRecord, record.readUInt32LE(4) * (isBig ? 1 : 1_000), 4);
      write(newRecord, record.readUInt32LE(8), 8);
      write(newRecord, record.readUInt32LE(12), 12);
      return { record: newRecord, bytes };
    }),
  );
}

/**
 * Returns the packets with tags inserted before the EtherType, in hexadecimal: VLAN tags, or a PPPoE header, which is
 * followed by length and protocol.
 */
export function encapsulated(pcap: Buffer, inserted: string): Buffer {
  const { header, packets } = packetsOf(pcap);
  return pcapOf(
    header,
    packets.map(({ record, bytes }) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length - 14 + 2);
      const isPppoe = inserted.startsWith('8864');
      const tags = Buffer.concat([
        Buffer.from(inserted, 'hex'),
        ...(isPppoe ? [length, Buffer.from('0021', 'hex')] : []),
      ]);
      const all = Buffer.concat([bytes.subarray(0, 12), tags, bytes.subarray(isPppoe ? 14 : 12)]);
      const newRecord = Buffer.from(record);
      newRecord.writeUInt32LE(all.length, 8);
      newRecord.writeUInt32LE(all.length, 12);
      return { record: newRecord, bytes: all };
    }),
  );
}

/** Returns the packets without the Ethernet header (LINKTYPE_RAW), or with another header in front (LINKTYPE_NULL). */
export function rawIp(pcap: Buffer, link: 0 | 9 | 101 = 101): Buffer {
  const head = { 0: '02000000', 9: 'ff030021', 101: '' }[link];
  return relinked(pcap, link, (ethernet) => Buffer.concat([Buffer.from(head, 'hex'), ethernet.subarray(14)]));
}

const ADDRESSES = `0a00000a0a00000b`;

/** The outer headers of tunnels, without the length of the outer IP packet, by the name of the tunnel. */
const TUNNELS = {
  // RFC 7348: UDP to port 4789, and a header with the network identifier.
  vxlan: (inner: Buffer) =>
    ipv4(17, Buffer.concat([hex(`c35012b5${uint16(inner.length + 16)}0000`), hex('0800000000002a00'), inner])),
  // RFC 2784, with a key (RFC 2890).
  gre: (inner: Buffer) => ipv4(47, Buffer.concat([hex('2000080000000007'), inner.subarray(14)])),
  'gre-ethernet': (inner: Buffer) => ipv4(47, Buffer.concat([hex('00006558'), inner])),
  'ip-in-ip': (inner: Buffer) => ipv4(4, inner.subarray(14)),
  // RFC 3032: two labels.
  mpls: (inner: Buffer) => Buffer.concat([inner.subarray(0, 12), hex('88470001004000020140'), inner.subarray(14)]),
  esp: (inner: Buffer) => ipv4(50, inner),
} satisfies Readonly<Record<string, (ethernet: Buffer) => Buffer>>;

export type Tunnel = keyof typeof TUNNELS;

export function tunnelled(pcap: Buffer, tunnel: Tunnel): Buffer {
  return relinked(pcap, 1, TUNNELS[tunnel]);
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function uint16(value: number): string {
  return value.toString(16).padStart(4, '0');
}

function ipv4(protocol: number, body: Buffer): Buffer {
  const ethernet = '0200000000010200000000020800';
  const rest = `4500${uint16(body.length + 20)}0001000040${protocol.toString(16).padStart(2, '0')}0000`;
  return Buffer.concat([hex(ethernet), hex(`${rest}${ADDRESSES}`), body]);
}

function relinked(pcap: Buffer, link: number, change: (bytes: Buffer) => Buffer): Buffer {
  const { header, packets } = packetsOf(pcap);
  const newHeader = Buffer.from(header);
  newHeader.writeUInt32LE(link, 20);
  const changed = packets.map(({ record, bytes }) => {
    const [newRecord, newBytes] = [Buffer.from(record), change(bytes)];
    for (const at of [8, 12]) newRecord.writeUInt32LE(newBytes.length, at);
    return { record: newRecord, bytes: newBytes };
  });
  return pcapOf(newHeader, changed);
}

/** Variants of a terminal log of a FortiGate. */
export interface FortigateLog {
  readonly level: 2 | 3 | 5 | 6;
  readonly clock?: 'a' | 'l' | 'relative';
  /** Module name in a chassis. */
  readonly module?: string;
  /** Gap between the columns of a line. */
  readonly gap?: '\t' | '    ';
  readonly lineEnd?: '\n' | '\r\n';
  /** Interface and direction of a packet. Levels 2 and 3 do not print them. @default `port1 --` */
  readonly place?: (packet: Buffer, index: number) => string;
  /** Adds prompts, terminal escapes, and the sniffer's other output around the packets. */
  readonly isPutty?: boolean;
}

const LINK_BYTES: Readonly<Record<number, number>> = { 1: 14, 113: 16, 276: 20, 101: 0 };

/**
 * Formats an Ethernet capture as "diagnose sniffer packet" prints it. Levels 2 and 5 start at the IP header, 3 and 6
 * include the Ethernet header, and 5 and 6 the interface.
 */
export function fortigateText(
  pcap: Buffer,
  { level, clock = 'a', module, gap = '\t', lineEnd = '\n', isPutty = false, place = () => 'port1 --' }: FortigateLog,
): string {
  const { header, packets } = packetsOf(pcap);
  const link = LINK_BYTES[header.readUInt32LE(20)] ?? 0;
  const [first] = packets;
  const began = first === undefined ? 0 : timeOf(first);
  const prefix = module === undefined ? '' : `[${module}] `;
  const command = `diagnose sniffer packet any 'host 10.0.0.1' ${String(level)} 200 ${clock === 'relative' ? '' : clock}`;
  const lines = packets.flatMap((packet, index) => {
    const time = clock === 'relative' ? (timeOf(packet) - began).toFixed(6) : dateText(timeOf(packet), clock);
    const port = level > 3 ? ` ${place(packet.bytes, index)}` : '';
    const shown = packet.bytes.subarray(level === 2 || level === 5 ? link + tagBytes(packet.bytes, link) : 0);
    return [`${time}${port} 10.0.0.2.40001 -> 10.0.0.1.443: psh 1 ack 2`, ...hexLines(shown, gap), ''];
  });
  const told = lines.map((line) => (line === '' ? line : `${prefix}${line}`));
  const log = isPutty
    ? [
        '=~=~=~=~=~=~=~=~=~=~=~= PuTTY log 2026.11.28 13:00:00 =~=~=~=~=~=~=~=~=~=~=~=',
        `\u001b[32mFGT-HQ\u001b[0m # ${command}`,
        'interfaces=[any]',
        'filters=[host 10.0.0.1]',
        ...told,
        `${String(packets.length)} packets received by filter`,
        '0 packets dropped by kernel',
        'FGT-HQ # ',
      ]
    : [`FGT-HQ # ${command}`, ...told];
  return log.join(lineEnd);
}

/** Number of bytes inserted by `encapsulated`. */
function tagBytes(bytes: Buffer, link: number): number {
  const type = link === 14 ? bytes.readUInt16BE(12) : 0;
  if (type === 0x8864) return 8;
  return type === 0x88a8 ? 8 : type === 0x8100 ? 4 : 0;
}

function timeOf({ record }: WrittenPacket): number {
  return record.readUInt32LE(0) + record.readUInt32LE(4) / 1e6;
}

function dateText(seconds: number, clock: 'a' | 'l'): string {
  const date = new Date(Math.floor(seconds) * 1_000);
  const fraction = (seconds % 1).toFixed(6).slice(1);
  if (clock === 'a') return date.toISOString().replace('T', ' ').replace('.000Z', fraction);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${fraction}`;
}

function hexLines(bytes: Buffer, gap: string): readonly string[] {
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, index) => {
    const part = bytes.subarray(index * 16, index * 16 + 16);
    const hex = part.toString('hex').match(/.{1,4}/gu) ?? [];
    const characters = part.toString('latin1').replaceAll(/[^ -~]/gu, '.');
    return `0x${(index * 16).toString(16).padStart(4, '0')}${gap}${hex.join(' ')}${gap}${characters}`;
  });
}
