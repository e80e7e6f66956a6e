import type { Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { CaptureError, type FormatReader, MAX_PACKET, type OnPacket, type RawPacket } from './raw-packet.ts';

/** Asks for so many bytes, and is given them. */
type Parser = Generator<number, never, Buffer>;

/** Usual length of a piece of a file. */
const CHUNK = 65_536;

/**
 * Feeds a parser with the bytes that it asks for, from one block of memory for all of a file: what each piece would leave
 * behind adds up before it is collected.
 */
function createReader(format: 'pcap' | 'pcapng', parser: (offset: () => number) => Parser): FormatReader {
  let store: Buffer = Buffer.alloc(2 * CHUNK);
  let [length, taken, before] = [0, 0, 0];
  const parse = parser(() => before + taken);
  let wanted = parse.next().value;
  return {
    facts: { format, device: null, isRelative: false, broken: 0 },
    read: (chunk) => {
      if (length + chunk.length > store.length)
        store = Buffer.concat([store.subarray(0, length)], 2 * (length + chunk.length));
      length += chunk.copy(store, length);
      while (length - taken >= wanted) {
        const bytes = store.subarray(taken, taken + wanted);
        taken += wanted;
        wanted = parse.next(bytes).value;
      }
      store.copyWithin(0, taken, length);
      [length, taken, before] = [length - taken, 0, before + taken];
    },
    end: () => {
      if (length > 0 || wanted !== (format === 'pcap' ? PACKET_HEADER : BLOCK_HEADER))
        throw new CaptureError(`the file ends in the middle of a packet, at offset ${String(before)}`);
    },
  };
}

function numbers(isLittle: boolean): { readonly u16: ReadNumber; readonly u32: ReadNumber } {
  return {
    u16: (bytes, at) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)),
    u32: (bytes, at) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)),
  };
}
type ReadNumber = (bytes: Buffer, at: number) => number;

function badLength(what: string, offset: number, length: number, most: number): CaptureError {
  const [at, said, expected] = [offset, length, most].map(String);
  return new CaptureError(`the ${what} at offset ${at} is said to have ${said} bytes: expected at most ${expected}`);
}

// --- pcap (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html)

/** Magic numbers, and how many parts of a second the second field counts in a millisecond. */
export const PCAP_MAGIC: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);
const PACKET_HEADER = 16;

export function createPcapReader(isLittle: boolean, onPacket: OnPacket): FormatReader {
  const { u32 } = numbers(isLittle);
  return createReader('pcap', function* parse(offset) {
    const header = yield 24;
    const scale = PCAP_MAGIC.get(u32(header, 0)) ?? 1e3;
    // The upper bits are the length of a frame check sequence.
    const link = u32(header, 20) % 0x1_0000;
    for (;;) {
      const record = yield PACKET_HEADER;
      const at = u32(record, 0) * 1_000 + u32(record, 4) / scale;
      const [captured, length] = [u32(record, 8), u32(record, 12)];
      if (captured > MAX_PACKET) throw badLength('packet', offset() - PACKET_HEADER, captured, MAX_PACKET);
      const bytes = yield captured;
      onPacket({ at, link, bytes, length: Math.max(captured, length), port: null, direction: null });
    }
  });
}

// --- pcapng (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html)

export const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BLOCK_HEADER = 12;
const MAX_BLOCK = 4 * 1024 * 1024;
const MAX_INTERFACES = 4_096;

interface Port extends Pick<RawPacket, 'port'> {
  readonly link: number;
  readonly snaplen: number;
  /** Milliseconds of one tick of its clock, and what is added to each of its times. */
  readonly tick: Millis;
  readonly shift: Millis;
}

export function createPcapngReader(onPacket: OnPacket): FormatReader {
  return createReader('pcapng', function* parse(offset) {
    let isLittle = true;
    let ports: Port[] = [];
    for (;;) {
      const header = yield BLOCK_HEADER;
      const at = offset() - BLOCK_HEADER;
      const isSection = header.readUInt32BE(0) === SECTION_HEADER;
      if (isSection) [isLittle, ports] = [header.readUInt32LE(8) === 0x1a2b3c4d, []];
      const { u32 } = numbers(isLittle);
      const [type, size] = [u32(header, 0), u32(header, 4)];
      if (size < BLOCK_HEADER || size % 4 !== 0 || size > MAX_BLOCK) throw badLength('block', at, size, MAX_BLOCK);
      // The first four bytes of the body came with the header; its length stands behind it again.
      const start = Buffer.from(header.subarray(8));
      const block = Buffer.concat([start, yield size - BLOCK_HEADER]).subarray(0, size - BLOCK_HEADER);
      if (isSection) continue;
      if (type === INTERFACE && ports.length < MAX_INTERFACES) ports.push(portOf(block, isLittle, at));
      if (type === ENHANCED_PACKET || type === SIMPLE_PACKET) onPacket(packetOf(type, block, { ports, isLittle, at }));
    }
  });
}

function optionsOf(block: Buffer, from: number, isLittle: boolean): ReadonlyMap<number, Buffer> {
  const { u16 } = numbers(isLittle);
  const found = new Map<number, Buffer>();
  for (let at = from; at + 4 <= block.length && u16(block, at) !== 0; at += 4 + Math.ceil(u16(block, at + 2) / 4) * 4)
    found.set(u16(block, at), block.subarray(at + 4, at + 4 + u16(block, at + 2)));
  return found;
}

function portOf(block: Buffer, isLittle: boolean, offset: number): Port {
  const { u16, u32 } = numbers(isLittle);
  if (block.length < 8) throw new CaptureError(`the interface at offset ${String(offset)} cannot be read`);
  const options = optionsOf(block, 8, isLittle);
  // if_tsresol: the highest bit chooses between powers of 2 and of 10.
  const resolution = options.get(9)?.[0] ?? 6;
  const shift = options.get(14);
  return {
    link: u16(block, 0),
    port: visibleText(options.get(2)?.toString('utf8') ?? '', 64) || null,
    snaplen: u32(block, 4),
    tick: 1_000 / (resolution < 0x80 ? 10 ** resolution : 2 ** (resolution - 0x80)),
    shift: shift?.length === 8 ? Number(isLittle ? shift.readBigInt64LE() : shift.readBigInt64BE()) * 1_000 : 0,
  };
}

/** The lowest two bits of epb_flags. */
const DIRECTIONS: readonly RawPacket['direction'][] = [null, 'in', 'out'];

interface Section {
  readonly ports: readonly Port[];
  readonly isLittle: boolean;
  /** Offset of the block. */
  readonly at: number;
}

function packetOf(type: number, block: Buffer, { ports, isLittle, at }: Section): RawPacket {
  const { u32 } = numbers(isLittle);
  const isSimple = type === SIMPLE_PACKET;
  const header = isSimple ? 4 : 20;
  const port = block.length < header ? undefined : ports[isSimple ? 0 : u32(block, 0)];
  if (port === undefined)
    throw new CaptureError(`the packet at offset ${String(at)} is of an interface that the file does not describe`);
  const length = u32(block, isSimple ? 0 : 16);
  const room = block.length - header;
  const captured = isSimple ? Math.min(length, room, port.snaplen || MAX_PACKET) : u32(block, 12);
  if (captured > Math.min(room, MAX_PACKET)) throw badLength('packet', at, captured, Math.min(room, MAX_PACKET));
  const flags = isSimple ? undefined : optionsOf(block, header + Math.ceil(captured / 4) * 4, isLittle).get(2);
  const direction = DIRECTIONS[(flags?.[isLittle ? 0 : 3] ?? 0) % 4] ?? null;
  return {
    at: isSimple ? 0 : (u32(block, 4) * 2 ** 32 + u32(block, 8)) * port.tick + port.shift,
    link: port.link,
    bytes: block.subarray(header, header + captured),
    length: Math.max(captured, length),
    port: port.port,
    direction,
  };
}
