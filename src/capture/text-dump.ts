import { stripVTControlCharacters } from 'node:util';

import type { EpochMs } from '../core/clock.ts';
import { visibleText } from '../core/visible-text.ts';
import { CaptureError, type FormatFacts, type FormatReader, type OnPacket, type RawPacket } from './raw-packet.ts';

/** Longer lines are of nothing that is read here. */
const MAX_LINE = 4_096;
/** A packet of a dump has no more, whatever its lines say. */
const MAX_BYTES = 65_600;
/** Text without a packet up to here is no capture. */
const MAX_WITHOUT_PACKET = 16 * 1024 * 1024;
/** Modules of a chassis whose lines may alternate. */
const MAX_MODULES = 32;

const USE_ANOTHER_LEVEL =
  'as levels 1 and 4 do. Capture again with level 6 ("ftm-watch capture --print-command fortigate" prints the ' +
  'command), or with "tcpdump -X"';
const MODULE = /^\s*\[(?<module>[A-Za-z][\w-]{1,15})\]\s*/u;
/** Behind the time: the interface and the direction, where the command was for several interfaces. */
const HEADER =
  /^\s*(?<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d+\.\d+)\s+(?:(?<port>\S{1,64})\s+(?<direction>in|out|--|In|Out|B|M|P)\s+)?(?<rest>\S.*)$/u;
const HEX = /^\s*0x(?<offset>[0-9a-f]{4,5}):?\s+(?<hex>(?:[0-9a-f]{4} ){0,7}(?:[0-9a-f]{4}|[0-9a-f]{2}))(?![0-9a-f])/iu;
/** The command as a person typed it, behind the prompt that names the device. */
const COMMAND =
  /(?:^|(?<device>[\w.-]{1,64})[^#$>]{0,40}[#$>]\s*)dia[a-z]*\s+sni[a-z]*\s+pa[a-z]*\s+\S+\s+(?:'[^']*'|"[^"]*"|\S+)\s+[1-6](?:\s+\d+(?:\s+(?<clock>[al]))?)?/u;

/** A packet of which more lines may come. */
interface Unfinished extends Pick<RawPacket, 'at' | 'port' | 'direction'> {
  readonly bytes: number[];
}

/**
 * Reads what "diagnose sniffer packet" (levels 2, 3, 5 and 6) and "tcpdump -x", "-X", "-xx" and "-XX" print, also copied
 * from a terminal.
 */
export function createTextReader(onPacket: OnPacket): FormatReader {
  const facts: FormatFacts = { format: 'fortigate', device: null, isRelative: false, broken: 0 };
  const open = new Map<string, Unfinished>();
  let rest = '';
  let isUtc = false;
  let [headers, packets, characters] = [0, 0, 0];

  /** Hands on the packet of a module that is complete, when the next one begins. */
  function finish(module: string): void {
    const packet = open.get(module);
    open.delete(module);
    if (packet === undefined || packet.bytes.length === 0) return;
    packets += 1;
    onPacket({ ...packet, link: 'text', bytes: Buffer.from(packet.bytes), length: packet.bytes.length });
  }

  function begin(module: string, { time = '', port, direction = '', rest: text = '' }: Groups): void {
    headers += 1;
    if (headers === 1 && !text.includes(' -> ')) facts.format = 'tcpdump';
    finish(module);
    const { at, isRelative } = timeOf(time, isUtc);
    facts.isRelative ||= isRelative;
    const towards = direction.toLowerCase();
    if (open.size >= MAX_MODULES) return;
    open.set(module, {
      at,
      port: port === undefined ? null : visibleText(port, 64),
      direction: towards === 'in' || towards === 'out' ? towards : null,
      bytes: [],
    });
  }

  function add(module: string, offset: number, hex: string): void {
    const packet = open.get(module);
    if (packet === undefined) return;
    if (offset === packet.bytes.length && offset <= MAX_BYTES) {
      packet.bytes.push(...Buffer.from(hex.replaceAll(' ', ''), 'hex'));
      return;
    }
    // A line was lost, or is of another packet.
    facts.broken += 1;
    open.delete(module);
  }

  function readLine(raw: string): void {
    const line = stripVTControlCharacters(raw);
    const { module = '' } = MODULE.exec(line)?.groups ?? {};
    const own = line.replace(MODULE, '');
    const { offset, hex = '' } = HEX.exec(own)?.groups ?? {};
    if (offset !== undefined) {
      add(module, Number.parseInt(offset, 16), hex);
      return;
    }
    const header = HEADER.exec(own)?.groups;
    if (header !== undefined) {
      begin(module, header);
      return;
    }
    const command = COMMAND.exec(own)?.groups;
    if (command === undefined) return;
    isUtc = command['clock'] === 'a';
    facts.device = command['device'] ?? facts.device;
  }

  function end(): void {
    readLine(rest);
    for (const module of open.keys()) finish(module);
    if (packets > 0) return;
    throw new CaptureError(
      headers === 0
        ? 'the text contains no packet: expected that of "diagnose sniffer packet … 6" or "tcpdump -X"'
        : `the text lists ${String(headers)} packets without their bytes, ${USE_ANOTHER_LEVEL}`,
    );
  }

  return {
    facts,
    read: (chunk) => {
      characters += chunk.length;
      if (packets === 0 && characters > MAX_WITHOUT_PACKET)
        throw new CaptureError(`no packet in the first ${String(MAX_WITHOUT_PACKET)} bytes of the text`);
      const lines = `${rest}${chunk.toString('latin1')}`.split(/[\r\n]+/u);
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      for (const line of lines) if (line.length <= MAX_LINE) readLine(line);
    },
    end,
  };
}

type Groups = Readonly<Record<string, string | undefined>>;

/** A date without a zone is the local time of the device, which is taken for that of this machine. */
function timeOf(text: string, isUtc: boolean): { readonly at: EpochMs; readonly isRelative: boolean } {
  const [, date, hours = '0', minutes = '0', seconds = '0'] =
    /^(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d):(\d\d):(\d\d\.\d+)$/u.exec(text) ?? [];
  // A date holds milliseconds only.
  const minute = Date.parse(`${date ?? ''}T${hours}:${minutes}:00${isUtc ? 'Z' : ''}`);
  if (!Number.isNaN(minute)) return { at: minute + Number(seconds) * 1_000, isRelative: false };
  const sinceMidnight = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  const at = (text.includes(':') ? sinceMidnight : Number(text)) * 1_000;
  // "tcpdump -tt" counts from 1970.
  return { at, isRelative: at < 1e12 };
}
