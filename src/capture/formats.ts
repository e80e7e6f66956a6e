import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';

import type { Millis } from '../core/clock.ts';
import { messageOf } from '../text/message-of.ts';
import { CaptureError, type FormatReader, type RawPacket } from './raw-packet.ts';
import { createTextReader } from './text-dump.ts';

/** A reader that took all of a file, and why it stopped before the end; null: it did not. */
export interface ReadFormat {
  readonly reader: FormatReader | null;
  readonly problem: string | null;
}

/** Longest packet that is accepted: twice libpcap's MAXIMUM_SNAPLEN (262144). */
const MAX_PACKET = 524_288;
/** Usual length of a piece of a file. */
const CHUNK = 65_536;

/** Enough of a file to recognise its format. */
const ENOUGH = 4;

/**
 * Reads a capture in any format, also compressed with gzip, and hands on each packet. Never throws because of what the
 * file contains: packets up to the first fault count.
 *
 * @param file its pieces, each of which may be overwritten when the next one is asked for
 * @param onPacket what it throws is thrown on
 */
export async function readFormat(
  file: AsyncIterable<Uint8Array>,
  onPacket: (packet: RawPacket) => void,
): Promise<ReadFormat> {
  let reader: FormatReader | null = null;
  try {
    let first = Buffer.alloc(0);
    for await (const chunk of unzipped(file)) {
      if (reader === null) {
        first = Buffer.concat([first, chunk]);
        if (first.length < ENOUGH) continue;
        reader = readerFor(first);
      }
      const rest = first.length > 0 ? first : chunk;
      first = Buffer.alloc(0);
      for (const packet of reader.read(rest)) onPacket(packet);
    }
    if (reader === null) throw new CaptureError(`the file has ${String(first.length)} bytes, too few for a capture`);
    for (const packet of reader.end()) onPacket(packet);
    return { reader, problem: null };
  } catch (error) {
    if (error instanceof CaptureError) return { reader, problem: error.message };
    throw error;
  }
}

async function* unzipped(file: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const chunks = file[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  let isEnded = false;
  while (first.length < ENOUGH && !isEnded) {
    const next = await chunks.next();
    isEnded = next.done === true;
    if (next.done !== true) first = Buffer.concat([first, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    if (first.length > 0) yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield asBuffer(next.value);
  }
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    yield* whole();
    return;
  }
  const gunzip = createGunzip();
  // A stream keeps chunks, whose memory the reader of the file uses again.
  async function* copies(): AsyncGenerator<Buffer> {
    for await (const chunk of whole()) yield Buffer.from(chunk);
  }
  const source = Readable.from(copies());
  // A stream that is destroyed early must not leave the other one waiting.
  source.on('error', (error) => gunzip.destroy(error));
  try {
    for await (const chunk of source.pipe(gunzip)) yield asBuffer(chunk);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new CaptureError(`the gzip data cannot be unpacked: ${messageOf(error)}`);
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function asBuffer(chunk: unknown): Buffer {
  if (!(chunk instanceof Uint8Array)) throw new TypeError('Cannot read a capture: expected bytes');
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function readerFor(first: Buffer): FormatReader {
  const big = first.readUInt32BE(0);
  const little = first.readUInt32LE(0);
  if (big === SECTION_HEADER) return createPcapngReader();
  const isLittle = PCAP_MAGIC.has(little);
  const scale = PCAP_MAGIC.get(isLittle ? little : big);
  if (scale !== undefined) return createPcapReader(isLittle, scale);
  if (isText(first)) return createTextReader();
  throw new CaptureError(
    `the file begins with 0x${first.toString('hex', 0, 4)}: expected pcap, pcapng, either of them in gzip, or the ` +
      'text of "diagnose sniffer packet" or "tcpdump -X"',
  );
}

function isText(first: Buffer): boolean {
  return first.subarray(0, 512).every((byte) => byte >= 0x20 || [0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b].includes(byte));
}

// --- pcap (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html)

/** Magic numbers, and how many parts of a second the second field counts in a millisecond. */
const PCAP_MAGIC: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);

const PCAP_HEADER = 24;
const PACKET_HEADER = 16;

/** What was not yet read of a file, with the offset of its first byte. */
interface Rest {
  readonly take: (chunk: Buffer) => Buffer;
  readonly keep: (from: number) => void;
  readonly offset: () => number;
  readonly isEmpty: () => boolean;
}

/** One block of memory for all of a file: what each chunk would leave behind adds up before it is collected. */
function createRest(): Rest {
  let store: Buffer = Buffer.alloc(2 * CHUNK);
  let length = 0;
  let offset = 0;
  return {
    take: (chunk) => {
      if (length + chunk.length > store.length) {
        const larger = Buffer.alloc(2 * (length + chunk.length));
        store.copy(larger, 0, 0, length);
        store = larger;
      }
      chunk.copy(store, length);
      length += chunk.length;
      return store.subarray(0, length);
    },
    keep: (from) => {
      offset += from;
      store.copyWithin(0, from, length);
      length -= from;
    },
    offset: () => offset,
    isEmpty: () => length === 0,
  };
}

function cutAt(rest: Rest): CaptureError {
  return new CaptureError(`the file ends in the middle of a packet, at offset ${String(rest.offset())}`);
}

function checkLength(length: number, offset: number): void {
  if (length <= MAX_PACKET) return;
  throw new CaptureError(
    `the packet at offset ${String(offset)} is said to have ${String(length)} bytes: expected at most ` +
      String(MAX_PACKET),
  );
}

function createPcapReader(isLittle: boolean, scale: number): FormatReader {
  const rest = createRest();
  const at32 = (bytes: Buffer, at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  let link: number | null = null;
  return {
    format: () => 'pcap',
    areTimesRelative: () => false,
    device: () => null,
    notes: () => [],
    *read(chunk) {
      const bytes = rest.take(chunk);
      let position = 0;
      if (link === null && bytes.length >= PCAP_HEADER) {
        // The upper bits are the length of a frame check sequence.
        link = at32(bytes, 20) % 0x1_0000;
        position = PCAP_HEADER;
      }
      while (link !== null && bytes.length - position >= PACKET_HEADER) {
        const captured = at32(bytes, position + 8);
        checkLength(captured, rest.offset() + position);
        const end = position + PACKET_HEADER + captured;
        if (end > bytes.length) break;
        yield {
          at: at32(bytes, position) * 1_000 + at32(bytes, position + 4) / scale,
          link,
          bytes: bytes.subarray(position + PACKET_HEADER, end),
          length: Math.max(captured, at32(bytes, position + 12)),
          port: null,
          direction: null,
        };
        position = end;
      }
      rest.keep(position);
    },
    end: () => {
      if (!rest.isEmpty() || link === null) throw cutAt(rest);
      return [];
    },
  };
}

// --- pcapng (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html)

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
/** A block of another kind may be larger: it is skipped. */
const MAX_BLOCK = 16 * 1024 * 1024;
const MAX_INTERFACES = 4_096;

interface Port {
  readonly link: number;
  readonly name: string | null;
  readonly snaplen: number;
  /** Milliseconds of one tick of its clock. */
  readonly tick: Millis;
  /** Added to each of its times. */
  readonly shift: Millis;
}

function createPcapngReader(): FormatReader {
  const rest = createRest();
  let isLittle = true;
  let ports: Port[] = [];
  const at32 = (bytes: Buffer, at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const at16 = (bytes: Buffer, at: number): number => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));

  function* optionsOf(block: Buffer, from: number): Generator<readonly [code: number, value: Buffer]> {
    for (let at = from; at + 4 <= block.length; ) {
      const [code, length] = [at16(block, at), at16(block, at + 2)];
      if (code === 0) return;
      yield [code, block.subarray(at + 4, at + 4 + length)];
      at += 4 + Math.ceil(length / 4) * 4;
    }
  }

  function portOf(block: Buffer, offset: number): Port {
    if (block.length < 8 || ports.length >= MAX_INTERFACES)
      throw new CaptureError(`the interface at offset ${String(offset)} cannot be read`);
    const options = new Map(optionsOf(block, 8));
    // if_tsresol: the highest bit chooses between powers of 2 and of 10.
    const resolution = options.get(9)?.[0] ?? 6;
    const ticks = resolution < 0x80 ? 10 ** resolution : 2 ** (resolution - 0x80);
    const shift = options.get(14);
    return {
      link: at16(block, 0),
      name: options.get(2)?.toString('utf8').slice(0, 64) ?? null,
      snaplen: at32(block, 4),
      tick: 1_000 / ticks,
      shift: shift?.length === 8 ? Number(isLittle ? shift.readBigInt64LE(0) : shift.readBigInt64BE(0)) * 1_000 : 0,
    };
  }

  function packetOf(type: number, block: Buffer, offset: number): RawPacket {
    const isSimple = type === SIMPLE_PACKET;
    const header = isSimple ? 4 : 20;
    const port = ports[isSimple || block.length < header ? 0 : at32(block, 0)];
    if (port === undefined || block.length < header)
      throw new CaptureError(
        `the packet at offset ${String(offset)} is of an interface that the file does not describe`,
      );
    const length = at32(block, isSimple ? 0 : 16);
    const limit = port.snaplen === 0 ? MAX_PACKET : port.snaplen;
    const captured = isSimple ? Math.min(length, block.length - header, limit) : at32(block, 12);
    checkLength(captured, offset);
    if (header + captured > block.length)
      throw new CaptureError(
        `the packet at offset ${String(offset)} is said to have ${String(captured)} bytes in a block of ` +
          String(block.length),
      );
    // epb_flags: the lowest two bits are the direction.
    const flags = isSimple
      ? undefined
      : new Map(optionsOf(block, header + Math.ceil(captured / 4) * 4)).get(2)?.[isLittle ? 0 : 3];
    const direction = (flags ?? 0) % 4;
    return {
      at: isSimple ? 0 : (at32(block, 4) * 2 ** 32 + at32(block, 8)) * port.tick + port.shift,
      link: port.link,
      bytes: block.subarray(header, header + captured),
      length: Math.max(captured, length),
      port: port.name,
      direction: direction === 1 ? 'in' : direction === 2 ? 'out' : null,
    };
  }

  return {
    format: () => 'pcapng',
    areTimesRelative: () => false,
    device: () => null,
    notes: () => [],
    *read(chunk) {
      const bytes = rest.take(chunk);
      let position = 0;
      while (bytes.length - position >= 12) {
        const offset = rest.offset() + position;
        const isSection = bytes.readUInt32BE(position) === SECTION_HEADER;
        if (isSection) {
          isLittle = bytes.readUInt32LE(position + 8) === 0x1a2b3c4d;
          ports = [];
        }
        const type = at32(bytes, position);
        const size = at32(bytes, position + 4);
        if (size < 12 || size % 4 !== 0 || size > MAX_BLOCK)
          throw new CaptureError(`the block at offset ${String(offset)} is said to have ${String(size)} bytes`);
        if (bytes.length - position < size) break;
        const block = bytes.subarray(position + 8, position + size - 4);
        if (!isSection && type === INTERFACE) ports.push(portOf(block, offset));
        if (type === ENHANCED_PACKET || type === SIMPLE_PACKET) yield packetOf(type, block, offset);
        position += size;
      }
      rest.keep(position);
    },
    end: () => {
      if (!rest.isEmpty()) throw cutAt(rest);
      return [];
    },
  };
}
