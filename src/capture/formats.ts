import { pipeline } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { createGunzip } from 'node:zlib';
import type { EpochMs, Millis } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { messageOf } from '../text/message-of.ts';
import { CaptureError, Cursor } from './bytes.ts';
import type { CaptureFile, RawPacket } from './packets.ts';

/**
 * The file can be compressed with gzip.
 * @param facts filled in with information about the file during reading
 * @throws {CaptureError} if the content is invalid; packets before the invalid content are still returned
 */
export async function* readFormat(file: AsyncIterable<Uint8Array>, facts: CaptureFile): AsyncGenerator<RawPacket> {
  await using bytes = new FileBytes(file);
  const isGzip = (await bytes.peek(2)).equals(Buffer.from([0x1f, 0x8b]));
  await using unzipped = isGzip ? new FileBytes(gunzipped(bytes)) : null;
  yield* packetsOf(unzipped ?? bytes, facts);
}

class FileBytes {
  offset = 0;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(file: AsyncIterable<Uint8Array>) {
    this.#pieces = file[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.();
  }

  /** Returns fewer bytes than requested only at the end of the file. */
  async peek(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      const next = await this.#pieces.next();
      if (next.done === true) break;
      this.#held = Buffer.concat([this.#held, next.value]);
    }
    return this.#held.subarray(0, length);
  }

  async isAtEnd(): Promise<boolean> {
    return (await this.peek(1)).length === 0;
  }

  /** @throws {CaptureError} if too few bytes remain in the file */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.peek(length);
    if (bytes.length < length)
      throw new CaptureError(`the file ends in the middle of a packet, at offset ${String(this.offset)}`);
    this.#held = this.#held.subarray(length);
    this.offset += length;
    return bytes;
  }

  async *rest(): AsyncGenerator<Buffer> {
    while (!(await this.isAtEnd())) yield await this.take(this.#held.length);
  }
}

/** A small file can decompress to a huge one, so the size is limited. */
const MAX_DECOMPRESSED = 4 * 1024 ** 3;

async function* gunzipped(bytes: FileBytes): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    // Any error is also thrown by the iteration, so the callback can ignore it.
    const pieces: AsyncIterable<Buffer> = pipeline(bytes.rest(), createGunzip(), () => {});
    for await (const piece of pieces) {
      size += piece.length;
      if (size > MAX_DECOMPRESSED) throw new CaptureError('the gzip data decompresses to more than 4 GiB');
      yield piece;
    }
  } catch (error) {
    const isOfGzip = error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
    throw isOfGzip ? new CaptureError(`the gzip data cannot be decompressed: ${messageOf(error)}`) : error;
  }
}

async function* packetsOf(file: FileBytes, facts: CaptureFile): AsyncGenerator<RawPacket> {
  const first = await file.peek(512);
  if (first.length < 4) throw new CaptureError('the file is too short to be a capture');
  const [big, little] = [first.readUInt32BE(0), first.readUInt32LE(0)];
  const isLittle = PCAP_MAGIC.has(little);
  if (big === SECTION_HEADER) yield* readPcapng(file, facts);
  else if (isLittle || PCAP_MAGIC.has(big)) yield* readPcap(file, facts, isLittle);
  // Text files contain only printable characters and the control characters that occur in terminal logs.
  else if (first.every((byte) => byte >= 0x20 || [7, 8, 9, 10, 13, 27].includes(byte))) yield* readText(file, facts);
  else
    throw new CaptureError(
      `the file begins with 0x${first.toString('hex', 0, 4)}: expected pcap, pcapng, either of them in gzip, or the ` +
        'text of "diagnose sniffer packet" or "tcpdump -X"',
    );
}

/** The maximum packet size, which is twice libpcap's MAXIMUM_SNAPLEN (262144). */
const MAX_PACKET = 524_288;

function invalidLength(what: string, offset: number, length: number, expected: string): CaptureError {
  const [at, said] = [String(offset), String(length)];
  return new CaptureError(`the ${what} at offset ${at} has an invalid length of ${said} bytes: expected ${expected}`);
}

// --- pcap (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-03.html)

/** Magic numbers, each with the resolution of its timestamps in units per millisecond. */
const PCAP_MAGIC: ReadonlyMap<number, number> = new Map([
  [0xa1b2c3d4, 1e3],
  [0xa1b23c4d, 1e6],
]);

async function* readPcap(file: FileBytes, facts: CaptureFile, isLittle: boolean): AsyncGenerator<RawPacket> {
  facts.format = 'pcap';
  const header = new Cursor(await file.take(24), isLittle);
  const scale = PCAP_MAGIC.get(header.number(4)) ?? 1e3;
  header.skip(16);
  // The upper bits of this field contain the length of the frame check sequence.
  const link = header.number(4) % 0x1_0000;
  while (!(await file.isAtEnd())) {
    const { offset } = file;
    const record = new Cursor(await file.take(16), isLittle);
    const at = record.number(4) * 1_000 + record.number(4) / scale;
    const [captured, length] = [record.number(4), record.number(4)];
    if (captured > MAX_PACKET) throw invalidLength('packet', offset, captured, `at most ${String(MAX_PACKET)}`);
    const bytes = await file.take(captured);
    yield { at, link, bytes, length: Math.max(captured, length), port: null, direction: null };
  }
}

// --- pcapng (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html)

/** This value is the same in both byte orders. */
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
/** The other block types for packets are obsolete or have no timestamps, so blocks of these types are skipped. */
const ENHANCED_PACKET = 6;
const MIN_BLOCK = 12;
const MAX_BLOCK = 4 * 1024 * 1024;
const MAX_INTERFACES = 4_096;

interface Port extends Pick<RawPacket, 'link' | 'port'> {
  /** Milliseconds per tick. */
  readonly tick: Millis;
}

async function* readPcapng(file: FileBytes, facts: CaptureFile): AsyncGenerator<RawPacket> {
  facts.format = 'pcapng';
  let isLittle = true;
  let ports: Port[] = [];
  while (!(await file.isAtEnd())) {
    const { offset } = file;
    const start = new Cursor(await file.peek(MIN_BLOCK), true);
    const isSection = start.number(4) === SECTION_HEADER;
    start.skip(4);
    if (isSection) [isLittle, ports] = [start.number(4) === BYTE_ORDER, []];
    const header = new Cursor(await file.take(8), isLittle);
    const [type, size] = [header.number(4), header.number(4)];
    if (size < MIN_BLOCK || size % 4 !== 0 || size > MAX_BLOCK)
      throw invalidLength('block', offset, size, `12 to ${String(MAX_BLOCK)}, in steps of 4`);
    // Each block ends with a second copy of its length.
    const block = new Cursor((await file.take(size - 8)).subarray(0, size - MIN_BLOCK), isLittle);
    if (type === INTERFACE && ports.length < MAX_INTERFACES) ports.push(portOf(block));
    if (type === ENHANCED_PACKET) yield enhancedPacket(block, ports, offset);
  }
}

function portOf(block: Cursor): Port {
  const link = block.number(2);
  block.skip(6);
  const options = block.entries(4);
  // In the option if_tsresol, the highest bit selects whether the resolution is a power of 2 or of 10.
  const resolution = options.get(9)?.[0] ?? 6;
  return {
    link,
    port: visibleText(options.get(2)?.toString('utf8') ?? '', 64) || null,
    tick: 1_000 / (resolution < 0x80 ? 10 ** resolution : 2 ** (resolution - 0x80)),
  };
}

/** The packet's direction, indexed by the lowest two bits of epb_flags. */
const DIRECTIONS: readonly RawPacket['direction'][] = [null, 'in', 'out'];

function enhancedPacket(block: Cursor, ports: readonly Port[], offset: number): RawPacket {
  const port = ports[block.number(4)];
  if (port === undefined)
    throw new CaptureError(
      `the packet at offset ${String(offset)} belongs to an interface that the file does not describe`,
    );
  const at = (block.number(4) * 2 ** 32 + block.number(4)) * port.tick;
  const [captured, length] = [block.number(4), block.number(4)];
  const most = Math.min(block.left, MAX_PACKET);
  if (captured > most) throw invalidLength('packet', offset, captured, `at most ${String(most)}`);
  const bytes = block.take(captured);
  block.skip(-captured & 3);
  const flags = new Cursor(block.entries(4).get(2) ?? Buffer.alloc(0), block.isLittle).number(4);
  return { ...port, at, bytes, length: Math.max(captured, length), direction: DIRECTIONS[flags % 4] ?? null };
}

// --- Text of "diagnose sniffer packet" and of "tcpdump"

/** Longer lines cannot be part of a dump. */
const MAX_LINE = 4_096;
const MAX_TEXT_PACKET = 65_600;
/** The maximum number of chassis modules whose lines can alternate in a dump. */
const MAX_MODULES = 32;

/** On a FortiGate chassis, each line starts with the name of a module. */
const DUMP_LINE = /^\s*(?:\[(?<module>[A-Za-z][\w-]{1,15})\]\s*)?(?<text>.*)$/u;
/** The first line of a packet. The interface and direction are present if several interfaces were captured. */
const DUMP_HEADER =
  /^\s*(?<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d+\.\d+)\s+(?:(?<port>\S{1,64})\s+(?<direction>in|out|--|In|Out|B|M|P)\s+)?(?<rest>\S.*)$/u;
const DUMP_HEX =
  /^\s*0x(?<offset>[0-9a-f]{4,5}):?\s+(?<hex>(?:[0-9a-f]{4} ){0,7}(?:[0-9a-f]{4}|[0-9a-f]{2}))(?![0-9a-f])/iu;
/** The number of lowercase letters is limited, so that a long line of letters is not read again at each position. */
const DUMP_COMMAND =
  /dia[a-z]{0,6}\s+sni[a-z]{0,6}\s+pa[a-z]{0,6}\s+\S+\s+(?:'[^']*'|"[^"]*"|\S+)\s+[1-6](?:\s+\d+(?:\s+(?<clock>[al]))?)?/u;
/** The prompt before the capture command contains the name of the device. */
const PROMPT = /(?<device>[\w.-]{1,64})[^#$>]{0,40}[#$>]$/u;
const MAX_PROMPT = 105;

type Groups = Readonly<Record<string, string | undefined>>;

/** Reads the output of "diagnose sniffer packet" (levels 2, 3, 5 and 6) or of "tcpdump -x", "-X", "-xx" and "-XX". */
async function* readText(file: FileBytes, facts: CaptureFile): AsyncGenerator<RawPacket> {
  const dump = new Dump(facts);
  for await (const line of linesOf(file)) yield* dump.read(stripVTControlCharacters(line));
  yield* dump.end();
  if (facts.packets > 0) return;
  throw new CaptureError(
    dump.headers === 0
      ? 'the text contains no packet: expected the output of "diagnose sniffer packet … 6" or "tcpdump -X"'
      : `the text lists ${String(dump.headers)} packets without their bytes, as at levels 1 and 4. ` +
          'Capture again with level 6 ("ftm-watch capture --print-command fortigate" prints the command), or with ' +
          '"tcpdump -X"',
  );
}

async function* linesOf(file: FileBytes): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of file.rest()) {
    const lines = `${rest}${piece.toString('latin1')}`.split(/[\r\n]+/u);
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    yield* lines.filter((line) => line.length <= MAX_LINE);
  }
  yield rest;
}

/** A packet is complete as soon as the same module's next packet starts. */
class Dump {
  headers = 0;
  readonly #facts: CaptureFile;
  /** Packets for which further lines may follow. */
  readonly #open = new Map<string, Pick<RawPacket, 'at' | 'port' | 'direction'> & { hex: string }>();
  #isUtc = false;

  constructor(facts: CaptureFile) {
    this.#facts = facts;
    facts.format = 'fortigate';
  }

  *read(line: string): Generator<RawPacket> {
    const { module = '', text = '' } = DUMP_LINE.exec(line)?.groups ?? {};
    const hex = DUMP_HEX.exec(text)?.groups;
    const header = hex === undefined ? DUMP_HEADER.exec(text)?.groups : undefined;
    if (header !== undefined) yield* this.#finish(module);
    if (hex !== undefined) this.#add(module, hex);
    else if (header !== undefined) this.#begin(module, header);
    else this.#readCommand(text);
  }

  *end(): Generator<RawPacket> {
    for (const module of this.#open.keys()) yield* this.#finish(module);
  }

  #readCommand(text: string): void {
    const command = DUMP_COMMAND.exec(text);
    if (command === null) return;
    const before = text.slice(0, command.index).trimEnd();
    const prompt = PROMPT.exec(before.slice(-MAX_PROMPT))?.groups;
    if (before !== '' && prompt === undefined) return;
    this.#isUtc = command.groups?.['clock'] === 'a';
    this.#facts.device = prompt?.['device'] ?? this.#facts.device;
  }

  #begin(module: string, { time = '', port = '', direction, rest }: Groups): void {
    this.headers += 1;
    if (this.headers === 1 && !rest?.includes(' -> ')) this.#facts.format = 'tcpdump';
    const at = timeOf(time, this.#isUtc);
    // "tcpdump -tt" prints times in seconds since 1970.
    this.#facts.isRelative ||= at < 1e12;
    const towards = direction?.toLowerCase();
    if (this.#open.size >= MAX_MODULES) return;
    this.#open.set(module, {
      at,
      port: visibleText(port, 64) || null,
      direction: towards === 'in' || towards === 'out' ? towards : null,
      hex: '',
    });
  }

  #add(module: string, { offset = '', hex = '' }: Groups): void {
    const packet = this.#open.get(module);
    if (packet === undefined) return;
    const length = packet.hex.length / 2;
    if (Number.parseInt(offset, 16) === length && length <= MAX_TEXT_PACKET) {
      packet.hex += hex.replaceAll(' ', '');
      return;
    }
    // A line of the packet is missing or belongs to a different packet.
    this.#facts.unread.lost += 1;
    this.#open.delete(module);
  }

  *#finish(module: string): Generator<RawPacket> {
    const packet = this.#open.get(module);
    this.#open.delete(module);
    const bytes = Buffer.from(packet?.hex ?? '', 'hex');
    if (packet !== undefined && bytes.length > 0) yield { ...packet, link: 'text', bytes, length: bytes.length };
  }
}

/** A date without a time zone is assumed to be in this machine's local time. */
function timeOf(text: string, isUtc: boolean): EpochMs {
  if (text.includes('-')) return Date.parse(`${text.replace(' ', 'T')}${isUtc ? 'Z' : ''}`) || 0;
  // The text is either a time of day or a number of seconds.
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000;
}
