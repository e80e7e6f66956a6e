import { stripVTControlCharacters } from 'node:util';
import type { EpochMs } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { CaptureError, type FileBytes } from './bytes.ts';
import type { CaptureFile, RawPacket } from './packets.ts';

/** Longer lines cannot be part of a dump. */
const MAX_LINE = 4_096;
const MAX_BYTES = 65_600;
/** The maximum number of chassis modules whose lines can alternate in a dump. */
const MAX_MODULES = 32;

/** On a FortiGate chassis, each line starts with the name of a module. */
const LINE = /^\s*(?:\[(?<module>[A-Za-z][\w-]{1,15})\]\s*)?(?<text>.*)$/u;
/** A packet's first line. The interface and direction are present if several interfaces were captured. */
const HEADER =
  /^\s*(?<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d+\.\d+)\s+(?:(?<port>\S{1,64})\s+(?<direction>in|out|--|In|Out|B|M|P)\s+)?(?<rest>\S.*)$/u;
const HEX = /^\s*0x(?<offset>[0-9a-f]{4,5}):?\s+(?<hex>(?:[0-9a-f]{4} ){0,7}(?:[0-9a-f]{4}|[0-9a-f]{2}))(?![0-9a-f])/iu;
/** The prompt before the capture command contains the name of the device. */
const COMMAND =
  /(?:^|(?<device>[\w.-]{1,64})[^#$>]{0,40}[#$>]\s*)dia[a-z]*\s+sni[a-z]*\s+pa[a-z]*\s+\S+\s+(?:'[^']*'|"[^"]*"|\S+)\s+[1-6](?:\s+\d+(?:\s+(?<clock>[al]))?)?/u;

type Groups = Readonly<Record<string, string | undefined>>;

/** Reads the output of "diagnose sniffer packet" (levels 2, 3, 5 and 6) or of "tcpdump -x", "-X", "-xx" and "-XX". */
export async function* readText(file: FileBytes, facts: CaptureFile): AsyncGenerator<RawPacket> {
  const dump = new Dump(facts);
  for await (const line of linesOf(file)) yield* dump.read(stripVTControlCharacters(line));
  yield* dump.end();
  if (facts.packets > 0) return;
  throw new CaptureError(
    dump.headers === 0
      ? 'the text contains no packet: expected the output of "diagnose sniffer packet … 6" or "tcpdump -X"'
      : `the text lists ${String(dump.headers)} packets without their bytes, as levels 1 and 4 do. Capture again with ` +
          'level 6 ("ftm-watch capture --print-command fortigate" prints the command), or with "tcpdump -X"',
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

/** A packet is complete when the same module's next packet starts. */
class Dump {
  headers = 0;
  readonly #facts: CaptureFile;
  /** Packets for which more lines can follow. */
  readonly #open = new Map<string, Pick<RawPacket, 'at' | 'port' | 'direction'> & { hex: string }>();
  #isUtc = false;

  constructor(facts: CaptureFile) {
    this.#facts = facts;
    facts.format = 'fortigate';
  }

  *read(line: string): Generator<RawPacket> {
    const { module = '', text = '' } = LINE.exec(line)?.groups ?? {};
    const hex = HEX.exec(text)?.groups;
    const header = hex === undefined ? HEADER.exec(text)?.groups : undefined;
    if (header !== undefined) yield* this.#finish(module);
    if (hex !== undefined) this.#add(module, hex);
    else if (header !== undefined) this.#begin(module, header);
    else this.#readCommand(COMMAND.exec(text)?.groups);
  }

  *end(): Generator<RawPacket> {
    for (const module of this.#open.keys()) yield* this.#finish(module);
  }

  #readCommand(command: Groups | undefined): void {
    if (command === undefined) return;
    this.#isUtc = command['clock'] === 'a';
    this.#facts.device = command['device'] ?? this.#facts.device;
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
    if (Number.parseInt(offset, 16) === length && length <= MAX_BYTES) {
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

/** A date without a time zone is assumed to be in the local time of this machine. */
function timeOf(text: string, isUtc: boolean): EpochMs {
  if (text.includes('-')) return Date.parse(`${text.replace(' ', 'T')}${isUtc ? 'Z' : ''}`) || 0;
  // The text is either a time of day or a number of seconds.
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1_000;
}
