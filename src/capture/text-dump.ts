import type { EpochMs } from '../core/clock.ts';
import { CaptureError, type CaptureFormat, type FormatReader, type RawPacket } from './raw-packet.ts';

/** Longer lines are of nothing that is read here. */
const MAX_LINE = 4_096;
/** A packet of a dump has no more, whatever its lines say. */
const MAX_BYTES = 65_600;
/** Text without a packet up to here is no capture. */
const MAX_WITHOUT_PACKET = 16 * 1024 * 1024;
/** Modules of a chassis whose lines may alternate. */
const MAX_MODULES = 32;

/** Escape sequences of a terminal (ECMA-48), and what it rings or rubs out. */
// oxlint-disable-next-line no-control-regex -- they are what is removed
const ESCAPES =
  /\u001b(?:\[[\d;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])|[\u0000-\u0008\u000e-\u001f]/gu;
const MODULE = /^\s*\[(?<module>[A-Za-z][\w-]{1,15})\]\s*/u;
/** Behind the time: the interface and the direction, where the command was for several interfaces. */
const HEADER =
  /^\s*(?<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+|\d\d:\d\d:\d\d\.\d+|\d+\.\d+)\s+(?:(?<port>\S{1,64})\s+(?<direction>in|out|--|In|Out|B|M|P)\s+)?(?<rest>\S.*)$/u;
const HEX = /^\s*0x(?<offset>[0-9a-f]{4,5}):?\s+(?<hex>(?:[0-9a-f]{4} ){0,7}(?:[0-9a-f]{4}|[0-9a-f]{2}))(?![0-9a-f])/iu;
/** The command as a person typed it, behind the prompt that names the device. */
const COMMAND =
  /(?:^|(?<device>[\w.-]{1,64})[^#$>]{0,40}[#$>]\s*)dia[a-z]*\s+sni[a-z]*\s+pa[a-z]*\s+\S+\s+(?:'[^']*'|"[^"]*"|\S+)\s+(?<level>[1-6])(?:\s+\d+(?:\s+(?<clock>[al]))?)?/u;
/** How FortiOS writes addresses and ports of a packet. */
const FORTIGATE_HEADER = / -> /u;

/** A packet of which more lines may come. */
interface Unfinished {
  readonly at: EpochMs;
  readonly port: string | null;
  readonly direction: RawPacket['direction'];
  bytes: number[];
}

/**
 * Reads what "diagnose sniffer packet" (levels 2, 3, 5 and 6) and "tcpdump -x", "-X", "-xx" and "-XX" print, also copied
 * from a terminal.
 */
export function createTextReader(): FormatReader {
  const open = new Map<string, Unfinished>();
  let rest = '';
  let format: CaptureFormat | null = null;
  let isRelative = false;
  let isUtc = false;
  let device: string | null = null;
  let headers = 0;
  let packets = 0;
  let broken = 0;
  let characters = 0;

  /** Gives the packet of a module that is complete, when the next one begins. */
  function finished(module: string): readonly RawPacket[] {
    const packet = open.get(module);
    open.delete(module);
    if (packet === undefined || packet.bytes.length === 0) return [];
    packets += 1;
    const bytes = Buffer.from(packet.bytes);
    return [{ ...packet, link: 'text', bytes, length: bytes.length }];
  }

  function begin(module: string, groups: Readonly<Record<string, string | undefined>>): readonly RawPacket[] {
    const { time = '', port, direction, rest: text = '' } = groups;
    headers += 1;
    format ??= FORTIGATE_HEADER.test(text) ? 'fortigate' : 'tcpdump';
    const complete = finished(module);
    const read = timeOf(time, isUtc);
    isRelative ||= read.isRelative;
    if (open.size < MAX_MODULES)
      open.set(module, {
        at: read.at,
        port: port ?? null,
        direction: direction === 'in' || direction === 'In' ? 'in' : /^out$/iu.test(direction ?? '') ? 'out' : null,
        bytes: [],
      });
    return complete;
  }

  function add(module: string, offset: number, hex: string): void {
    const packet = open.get(module);
    if (packet === undefined) return;
    // A line that was lost, or one of another packet: what came before it counts.
    if (offset !== packet.bytes.length || offset > MAX_BYTES) {
      broken += 1;
      open.delete(module);
      return;
    }
    packet.bytes.push(...Buffer.from(hex.replaceAll(/\s/gu, ''), 'hex'));
  }

  function* readLine(raw: string): Generator<RawPacket> {
    const clean = raw.replaceAll(ESCAPES, '');
    const module = MODULE.exec(clean)?.groups?.['module'] ?? '';
    const line = module === '' ? clean : clean.replace(MODULE, '');
    const { offset, hex = '' } = HEX.exec(line)?.groups ?? {};
    if (offset !== undefined) {
      add(module, Number.parseInt(offset, 16), hex);
      return;
    }
    const header = HEADER.exec(line);
    if (header?.groups !== undefined) {
      yield* begin(module, header.groups);
      return;
    }
    const command = COMMAND.exec(line)?.groups;
    if (command === undefined) return;
    isUtc = command['clock'] === 'a';
    device = command['device'] ?? device;
  }

  return {
    format: () => format ?? 'fortigate',
    areTimesRelative: () => isRelative,
    device: () => device,
    notes: () => [...(broken === 0 ? [] : [`${String(broken)} packets of which a line is missing were not read`])],
    *read(chunk) {
      characters += chunk.length;
      if (packets === 0 && characters > MAX_WITHOUT_PACKET)
        throw new CaptureError(`no packet in the first ${String(MAX_WITHOUT_PACKET)} bytes of the text`);
      const lines = `${rest}${chunk.toString('latin1')}`.split(/\r*\n|\r/u);
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      for (const line of lines) if (line.length <= MAX_LINE) yield* readLine(line);
    },
    *end() {
      yield* readLine(rest);
      for (const module of open.keys()) yield* finished(module);
      if (packets > 0) return;
      throw new CaptureError(
        headers === 0
          ? 'the text contains no packet: expected that of "diagnose sniffer packet … 6" or "tcpdump -X"'
          : `the text lists ${String(headers)} packets without their bytes, as levels 1 and 4 do. Capture again ` +
              'with level 6 ("ftm-watch capture --print-command fortigate" prints the command), or with "tcpdump -X"',
      );
    },
  };
}

/** A date without a zone is the local time of the device, which is taken for that of this machine. */
function timeOf(text: string, isUtc: boolean): { readonly at: EpochMs; readonly isRelative: boolean } {
  const [, date, hours = '0', minutes = '0', seconds = '0'] =
    /^(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d):(\d\d):(\d\d\.\d+)$/u.exec(text) ?? [];
  // To the microsecond: a date holds milliseconds only.
  const ofMinute = Number(seconds) * 1_000;
  if (date !== undefined) {
    const minute = Date.parse(`${date}T${hours}:${minutes}:00${isUtc ? 'Z' : ''}`);
    return Number.isNaN(minute) ? { at: 0, isRelative: true } : { at: minute + ofMinute, isRelative: false };
  }
  if (text.includes(':')) return { at: (Number(hours) * 60 + Number(minutes)) * 60_000 + ofMinute, isRelative: true };
  const at = Number(text) * 1_000;
  // "tcpdump -tt" counts from 1970.
  return { at, isRelative: at < 1e12 };
}
