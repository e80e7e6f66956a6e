import { stripVTControlCharacters } from 'node:util';
import type { EpochMs } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { CaptureError, type FileBytes } from './bytes.ts';
import type { CaptureFile, RawPacket } from './packets.ts';

/** Longer lines are irrelevant. */
const MAX_LINE = 4_096;
/** Maximum bytes in a packet of a dump. */
const MAX_BYTES = 65_600;
/** A text without any packet up to here is not a capture. */
const MAX_WITHOUT_PACKET = 16 * 1024 * 1024;
/** Modules of a chassis whose lines can be interleaved. */
const MAX_MODULES = 32;

const USE_ANOTHER_LEVEL =
  'as levels 1 and 4 do. Capture again with level 6 ("ftm-watch capture --print-command fortigate" prints the ' +
  'command), or with "tcpdump -X"';
const MODULE = /^\s*\[(?<module>[A-Za-z][\w-]{1,15})\]\s*/u;
/** After the time: interface and direction, if the command covered several interfaces. */
const HEADER =
  /^\s*(?<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d+\.\d+)\s+(?:(?<port>\S{1,64})\s+(?<direction>in|out|--|In|Out|B|M|P)\s+)?(?<rest>\S.*)$/u;
const HEX = /^\s*0x(?<offset>[0-9a-f]{4,5}):?\s+(?<hex>(?:[0-9a-f]{4} ){0,7}(?:[0-9a-f]{4}|[0-9a-f]{2}))(?![0-9a-f])/iu;
/** The command as typed after the prompt, which contains the device name. */
const COMMAND =
  /(?:^|(?<device>[\w.-]{1,64})[^#$>]{0,40}[#$>]\s*)dia[a-z]*\s+sni[a-z]*\s+pa[a-z]*\s+\S+\s+(?:'[^']*'|"[^"]*"|\S+)\s+[1-6](?:\s+\d+(?:\s+(?<clock>[al]))?)?/u;

/** A partially read dump. */
interface Dump {
  readonly facts: CaptureFile;
  /** Packets that may have further lines, by module. */
  readonly open: Map<string, Pick<RawPacket, 'at' | 'port' | 'direction'> & { readonly bytes: number[] }>;
  headers: number;
  isUtc: boolean;
}

/**
 * Reads the output of "diagnose sniffer packet" (levels 2, 3, 5 and 6) and of "tcpdump -x", "-X", "-xx" and "-XX", also
 * if copied from a terminal. A packet is complete when the next one of its module begins.
 */
export async function* readText(file: FileBytes, facts: CaptureFile): AsyncGenerator<RawPacket> {
  facts.format = 'fortigate';
  const dump: Dump = { facts, open: new Map(), headers: 0, isUtc: false };
  let packets = 0;
  for await (const line of linesOf(file)) {
    const packet = readLine(dump, stripVTControlCharacters(line));
    if (packet !== null) yield packet;
    packets += packet === null ? 0 : 1;
    if (packets === 0 && file.offset > MAX_WITHOUT_PACKET)
      throw new CaptureError(`no packet in the first ${String(MAX_WITHOUT_PACKET)} bytes of the text`);
  }
  const last = [...dump.open.keys()].flatMap((module) => finished(dump, module) ?? []);
  yield* last;
  if (packets + last.length > 0) return;
  throw new CaptureError(
    dump.headers === 0
      ? 'the text contains no packet: expected that of "diagnose sniffer packet … 6" or "tcpdump -X"'
      : `the text lists ${String(dump.headers)} packets without their bytes, ${USE_ANOTHER_LEVEL}`,
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

type Groups = Readonly<Record<string, string | undefined>>;

/** Returns the packet that is complete because this line begins a new one. */
function readLine(dump: Dump, line: string): RawPacket | null {
  const { module = '' } = MODULE.exec(line)?.groups ?? {};
  const own = line.replace(MODULE, '');
  const hex = HEX.exec(own)?.groups;
  const header = hex === undefined ? HEADER.exec(own)?.groups : undefined;
  if (hex !== undefined) addBytes(dump, module, hex);
  else if (header === undefined) readCommand(dump, COMMAND.exec(own)?.groups);
  const packet = header === undefined ? null : finished(dump, module);
  if (header !== undefined) begin(dump, module, header);
  return packet;
}

function readCommand(dump: Dump, command: Groups | undefined): void {
  if (command === undefined) return;
  dump.isUtc = command['clock'] === 'a';
  dump.facts.device = command['device'] ?? dump.facts.device;
}

function begin(dump: Dump, module: string, { time = '', port, direction, rest = '' }: Groups): void {
  const { facts, open } = dump;
  dump.headers += 1;
  if (dump.headers === 1 && !rest.includes(' -> ')) facts.format = 'tcpdump';
  const { at, isRelative } = timeOf(time, dump.isUtc);
  const towards = direction?.toLowerCase();
  facts.isRelative ||= isRelative;
  if (open.size >= MAX_MODULES) return;
  open.set(module, {
    at,
    port: port === undefined ? null : visibleText(port, 64),
    direction: towards === 'in' || towards === 'out' ? towards : null,
    bytes: [],
  });
}

function addBytes({ open, facts }: Dump, module: string, { offset = '', hex = '' }: Groups): void {
  const packet = open.get(module);
  if (packet === undefined) return;
  if (Number.parseInt(offset, 16) === packet.bytes.length && packet.bytes.length <= MAX_BYTES) {
    packet.bytes.push(...Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    return;
  }
  // A line is missing or belongs to another packet.
  facts.unread.lost += 1;
  open.delete(module);
}

function finished({ open }: Dump, module: string): RawPacket | null {
  const packet = open.get(module);
  open.delete(module);
  if (packet === undefined || packet.bytes.length === 0) return null;
  return { ...packet, link: 'text', bytes: Buffer.from(packet.bytes), length: packet.bytes.length };
}

/** A date without a zone is the device's local time, which is assumed to be the same as this machine's. */
function timeOf(text: string, isUtc: boolean): { readonly at: EpochMs; readonly isRelative: boolean } {
  const [, date, hours = '0', minutes = '0', seconds = '0'] =
    /^(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d):(\d\d):(\d\d\.\d+)$/u.exec(text) ?? [];
  // A Date has only milliseconds.
  const minute = Date.parse(`${date ?? ''}T${hours}:${minutes}:00${isUtc ? 'Z' : ''}`);
  if (!Number.isNaN(minute)) return { at: minute + Number(seconds) * 1_000, isRelative: false };
  const sinceMidnight = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  const at = (text.includes(':') ? sinceMidnight : Number(text)) * 1_000;
  // "tcpdump -tt" prints seconds since 1970.
  return { at, isRelative: at < 1e12 };
}
