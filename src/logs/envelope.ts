import { OWN_PROGRAM } from '../core/polling/log-event.ts';
import type { EpochMs, Millis } from '../core/clock.ts';

export interface Envelope {
  /** Text that `readTime` can parse. */
  readonly time: string | null;
  /**
   * Names or addresses in each header that contains any, outermost header first. The outermost header identifies the
   * sender as seen by a relay. These values are untrusted.
   */
  readonly hosts: readonly (readonly string[])[];
  /** True if a header names the program that wrote the message. */
  readonly tagged: boolean;
  /** True if ftm-watch itself wrote the line and a relay sent it back. */
  readonly own: boolean;
  /** The number of identical lines that a relay merged into this line. */
  readonly times: number;
  readonly body: Body;
}

/**
 * For `message`, each alternative is a possible beginning of the message. There are several alternatives if a field
 * contains a quotation mark, for example in a user name that an attacker chose. `complete` means that all fields of the
 * line are present. `fields` is a FortiGate's `key=value` line.
 */
export type Body =
  | { readonly kind: 'message'; readonly alternatives: readonly (readonly string[])[]; readonly complete: boolean }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, string> };

/** Each relay on the path can add one header. */
const MOST_HEADERS = 4;
/** Fields between `status` and the message. No known firmware sends them, but newer firmware might. */
const MORE_FIELDS = /^(?:[a-z_]{1,32}=(?:"[^"]*"|[^\s"]*) +){1,8}/u;
/** `status=update ` after another field. Inside a message, ` status=` would follow an ordinary word. */
const BARE_STATUS = /(?<=^|"|=[^\s"]*) status=[^\s"]* */u;
/** Quotation marks in the message are not escaped. */
const END_OF_MSG = /"(?: [a-z_]{1,32}=|\s*$).*$/u;
/**
 * Common Event Format. The header has seven fields and is followed by `key=value` pairs. In values, `|` and `=` are
 * escaped (Micro Focus, "ArcSight CEF", 2017).
 */
const CEF = /^CEF: ?\d{1,2}(?:\|(?:[^|\\]|\\.)*){4}\|((?:[^|\\]|\\.)*)\|(?:[^|\\]|\\.)*\|/u;
/** The value extends to the next key. */
const CEF_MESSAGE = /(?:^| )msg=(.*?)(?= \w+=|$)/gu;

/**
 * The formats are RFC 3164 as FortiAuthenticator sends it (the host may be missing), RFC 5424, other headers that
 * relays add, the raw export, and text without a header. Never fails. Unknown parts are included in the message.
 */
export function readEnvelope(line: string): Envelope {
  const headers = readHeaders(line);
  const repeated = readRepeated(headers.starts[0] ?? '');
  const { time, body } = readBody(repeated === null ? headers.starts : [repeated.message], headers.time);
  const { hosts, own, tagged } = headers;
  return { time, hosts, own, tagged, times: repeated?.times ?? 1, body };
}

interface Headers extends Pick<Envelope, 'hosts' | 'own' | 'tagged' | 'time'> {
  /** Possible beginnings of the text behind the headers. */
  readonly starts: readonly string[];
}

/** Must be fast, because lines of a relay are read by this function before it is known whether they are errors. */
export function readHeaders(line: string): Headers {
  const hosts: (readonly string[])[] = [];
  let starts: readonly string[] = [line];
  let time: string | null = null;
  let own = false;
  let tagged = false;
  for (let count = 0; count < MOST_HEADERS && !tagged; count += 1) {
    const header = readHeader(starts[0] ?? '');
    if (header === null) break;
    if (header.hosts.length > 0) hosts.push(header.hosts);
    time ??= header.time;
    own ||= header.own;
    tagged = header.last;
    starts = header.starts;
  }
  const [only = '', ...others] = starts;
  if (others.length > 0 || beginsWithFields(only) || tagged) return { hosts, own, tagged, time, starts };
  const sender = readSender(only);
  if (sender.hosts.length > 0) hosts.push(sender.hosts);
  return { hosts, own, tagged: sender.last, time, starts: [...sender.starts, only] };
}

function readBody(starts: readonly string[], time: string | null): Pick<Envelope, 'time' | 'body'> {
  for (const start of starts) {
    if (beginsWithFields(start)) return { time, body: afterFields(start) };
    if (start.startsWith('date=') || start.startsWith('time=')) return readExport(start, time);
    const cef = CEF.exec(start);
    if (cef !== null) return { time, body: readCef(cef[1] ?? '', start.slice(cef[0].length)) };
  }
  return {
    time,
    body: { kind: 'message', alternatives: [...new Set(starts)].map((start) => [start]), complete: false },
  };
}

/**
 * `category="…" … status="…" message`, where the message does not have a key. A collector may have moved the message to
 * `msg=` directly after the status, and removed the quotation marks around the status or the fields before it.
 */
function afterFields(body: string): Body {
  const fromStatus = body.startsWith('status=');
  const ends = everyEnd(` ${body}`, ' status="');
  const bare = ends.length === 0;
  const texts = bare ? ` ${body}`.split(BARE_STATUS).slice(1) : ends;
  return complete(
    texts.map((text) => {
      if (text.startsWith('msg="')) return text.slice('msg="'.length).replace(END_OF_MSG, '');
      return bare || fromStatus ? '' : text.replace(MORE_FIELDS, '');
    }),
  );
}

/**
 * `date=… msg="message" user="…"`, where quotes inside the message are not escaped. FortiGate lines begin in the same
 * way.
 */
function readExport(body: string, headerTime: string | null): Pick<Envelope, 'time' | 'body'> {
  const time = findTime(body) ?? headerTime;
  if (!/ (?:oid=\d|cat=")/u.test(body)) return { time, body: { kind: 'fields', fields: readFields(body) } };
  const texts = body
    .split(' msg="')
    .slice(1)
    .map((text) => text.replace(/"(?: user="| requestid=|\s*$).*$/u, ''));
  return { time, body: complete(texts.length === 0 ? [body] : texts) };
}

/** Depending on the collector's mapping, the message is the event name or the `msg` value. */
function readCef(name: string, extension: string): Body {
  const unescaped = (text: string): string => text.replace(/\\([|=\\])/gu, '$1');
  const messages = [...extension.matchAll(CEF_MESSAGE)].map(([, text = '']) => unescaped(text));
  return {
    kind: 'message',
    alternatives: [[unescaped(name)], ...(messages.length === 0 ? [] : [messages])],
    complete: true,
  };
}

function complete(texts: readonly string[]): Body {
  return { kind: 'message', alternatives: [texts], complete: true };
}

/** `key` includes the opening quotation mark of the value. */
function everyEnd(body: string, key: string): readonly string[] {
  const ends: string[] = [];
  for (let at = body.indexOf(key); at >= 0; ) {
    const from = at + key.length;
    at = body.indexOf(key, from);
    const part = body.slice(from, at < 0 ? body.length : at);
    ends.push(part.slice(part.indexOf('"') + 1).trimStart());
  }
  return ends;
}

interface Header {
  readonly time: string | null;
  /** The hosts as written in the header, usually one. Empty if the header contains no host. */
  readonly hosts: readonly string[];
  readonly own: boolean;
  /**
   * Possible beginnings of the message. If another header follows, the list contains only the beginning of that header.
   */
  readonly starts: readonly string[];
  /**
   * True if the header names the program that wrote the message. Any program can write text that looks like a header,
   * so no further header is read.
   */
  readonly last: boolean;
}

const PRIORITY = /^<\d{1,3}>\s*/u;
/** RFC 5424 §6: version, time, host, application, process ID, message ID. */
const RFC5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,128}) \S{1,128} \S{1,128} /u;
const STRUCTURED_DATA = /^(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: |$)/u;
/**
 * Kiwi Syslog Server, "Kiwi format ISO yyyy-mm-dd (Tab delimited)": time, facility and level, host, message
 * (https://documentation.solarwinds.com/en/success_center/kss/content/kss_log_file_formats.htm). The other Kiwi formats
 * differ only in the order of the date.
 */
const KIWI = /^(\d{2,4}-\d{2}-\d{2,4}[ \t]\d{2}:\d{2}:\d{2})\t\w{1,20}\.\w{1,20}\t(\S{1,255})\t/u;
/** `host tag[pid]: `. FortiAuthenticator omits the host, and some relays omit the colon. */
const TAG = /^(?:(\S{1,255}) )?[\w./-]{1,64}(?:(?:\[\d{1,10}\])?: *|\[\d{1,10}\] +(?=category="|status=))/u;
/** `host->sender ` or `(agent) sender->file `, as written in OSSEC and Wazuh archives. */
const ARROW = /^(?:\(([^()\s]{1,255})\) )?([^\s>]{1,255})->(\S{1,255}) +/u;
const HOST = /^(\S{1,255})\s+/u;
/** The colon is optional, because rsyslog omits it for messages that it received in RFC 5424 format. */
const OWN_TAG = new RegExp(`^(?:\\S{1,255} )?${OWN_PROGRAM}(?:\\[\\d{1,10}\\])?(?::| |$)`, 'u');
/** The rest of the time, and a time zone that some devices append (`CEST`, `EDT:`). */
const AFTER_TIME = /^\S*\s+(?:(?:WES?T|BST|CES?T|EES?T|MSK|E[SD]T|C[SD]T|M[SD]T|P[SD]T|AE[SD]T|JST|IST|HKT|SGT):? +)?/u;
const CEF_HEADER = /^CEF: ?\d/u;
/** The first field of a FortiAuthenticator line is `category`, or `status` if a collector kept only the last field. */
const OWN_FIELDS = /^(?:category="|status=)/u;
/** Possible first characters of another header or format. This fast test excludes most messages. */
const MAY_BEGIN_ANEW = /^[<\dA-Z]/u;

function beginsWithFields(text: string): boolean {
  return OWN_FIELDS.test(text);
}

/** Returns null if there is no unambiguous header. A tag alone is ambiguous. */
function readHeader(text: string): Header | null {
  if (!MAY_BEGIN_ANEW.test(text)) return null;
  const prioritised = PRIORITY.exec(text)?.[0] ?? '';
  const rest = text.slice(prioritised.length);
  const modern = RFC5424.exec(rest);
  if (modern !== null) return readModern(rest.slice(modern[0].length), modern);
  const kiwi = KIWI.exec(rest);
  if (kiwi !== null)
    return {
      time: kiwi[1] ?? null,
      hosts: plausibleHosts(kiwi[2]),
      own: false,
      starts: [rest.slice(kiwi[0].length).trimStart()],
      last: false,
    };
  const time = rest.startsWith('date=') ? null : findTime(rest);
  if (time === null && prioritised === '') return null;
  const sender = time === null ? rest : rest.slice(time.length).replace(AFTER_TIME, '');
  const { hosts, starts, last } = readSender(sender);
  return { time, hosts, own: OWN_TAG.test(sender), starts, last };
}

/** The sender is `host tag: `, only the host, only the tag, or missing. */
function readSender(text: string): Pick<Header, 'hosts' | 'starts' | 'last'> {
  if (beginsWithFields(text) || beginsAnew(text)) return { hosts: [], starts: [text], last: false };
  const arrow = ARROW.exec(text);
  if (arrow !== null)
    return { hosts: arrow.slice(1).flatMap(plausibleHosts), starts: [text.slice(arrow[0].length)], last: false };
  const host = HOST.exec(text);
  const behindHost = host === null ? text : text.slice(host[0].length);
  if (beginsAnew(behindHost)) return { hosts: host === null ? [] : [host[1] ?? ''], starts: [behindHost], last: false };
  const tag = TAG.exec(text);
  if (tag === null) return { hosts: plausibleHosts(host?.[1]), starts: [text, behindHost], last: false };
  const message = text.slice(tag[0].length);
  return {
    hosts: plausibleHosts(tag[1]),
    starts: beginsWithFields(message) || beginsAnew(message) ? [message] : [message, text, behindHost],
    last: true,
  };
}

function readModern(rest: string, header: RegExpExecArray): Header {
  const message = rest
    .replace(STRUCTURED_DATA, '')
    .replace(/^\u{FEFF}/u, '')
    .trimStart();
  const last = header[3] !== '-';
  const sender = last ? { hosts: [], starts: [] } : readSender(message);
  return {
    time: header[1] ?? null,
    hosts: header[2] === '-' ? sender.hosts : plausibleHosts(header[2]),
    own: header[3] === OWN_PROGRAM,
    starts: [message, ...sender.starts],
    last,
  };
}

/** Returns whether the text starts with another header, or with a format that looks like a tag. */
function beginsAnew(text: string): boolean {
  return (
    MAY_BEGIN_ANEW.test(text) &&
    (CEF_HEADER.test(text) || PRIORITY.test(text) || KIWI.test(text) || findTime(text) !== null)
  );
}

/** Excludes words that cannot be host names. */
function plausibleHosts(host = ''): readonly string[] {
  return /^[\w.:[\]%-]+$/u.test(host) ? [host] : [];
}

const FIELD = /(?<![\w-])([a-z_][\w-]{0,63})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?:\s+|$)/gu;
const MAX_FIELDS = 128;

/**
 * If a key occurs several times, the first value is used. Later values can come from a client that an attacker
 * controls.
 */
function readFields(line: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, key = '', quoted, bare] of line.matchAll(FIELD)) {
    if (fields.size >= MAX_FIELDS) break;
    if (!fields.has(key)) fields.set(key, quoted ?? bare ?? '');
  }
  return fields;
}

const DAY: Millis = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Some devices insert a space before the time zone (`22:32:52 UTC`, `22:32:52 +0200`). */
const FRACTION = String.raw`(?:[.,](\d{1,9}))?`;
const ZONE = String.raw`(?: ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})(?![\w.]))?`;
/**
 * RFC 3164 §4.1.2: no year and no time zone. Some relays add the year at the beginning, after the day or after the
 * time. Others write the month in upper case.
 */
const BSD = new RegExp(
  String.raw`^(?:(\d{4}) )?([A-Z][A-Za-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})${FRACTION}${ZONE}` +
    String.raw`(?: ((?:19|20)\d{2})(?= |$))?`,
  'u',
);
/** RFC 3339, as required by RFC 5424. Some relays write a space instead of the T, or slashes in the date. */
const ISO = new RegExp(String.raw`^(\d{4})[-/](\d{2})[-/](\d{2})[T ](\d{2}):(\d{2}):(\d{2})${FRACTION}${ZONE}`, 'u');
/** The raw export, `date=2025-06-04 time=20:13:33+0000`. FortiGates omit the time zone. */
const EXPORT =
  /^date="?(\d{4})-(\d{2})-(\d{2})"? time="?(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?/u;

/** Sticky and without capture groups, so that `test` finds the end of the time without parsing it. */
const ANY = new RegExp([BSD, ISO, EXPORT].map(({ source }) => source.replaceAll(/\((?!\?)/gu, '(?:')).join('|'), 'uy');

/**
 * Returns the unparsed time at the beginning of `text`. Parsing is a separate step, because most times are never
 * needed.
 */
function findTime(text: string): string | null {
  ANY.lastIndex = 0;
  return ANY.test(text) ? text.slice(0, ANY.lastIndex) : null;
}

/**
 * If the time zone is missing, the local time zone is used. If the year is missing, uses the latest year in which the
 * time is before `near` plus one day. The extra day allows for clock differences.
 */
export function readTime(text: string, near: EpochMs): EpochMs | null {
  const bsd = BSD.exec(text);
  if (bsd !== null) return readBsd(bsd, near);
  const iso = ISO.exec(text) ?? EXPORT.exec(text);
  if (iso === null) return null;
  const [, year, month, day, hour, minute, second, fraction, zone] = iso;
  const parts = [year, month, day, hour, minute, second].map(Number);
  return checked(instant([...parts, milliseconds(fraction)], zone));
}

function readBsd(match: RegExpExecArray, near: EpochMs): EpochMs | null {
  const [, firstYear, monthName = '', day, middleYear, hour, minute, second, fraction, zone, lastYear] = match;
  const year = firstYear ?? middleYear ?? lastYear;
  const month = MONTHS.indexOf(monthName.slice(0, 1) + monthName.slice(1).toLowerCase()) + 1;
  if (month === 0) return null;
  const rest = [...[day, hour, minute, second].map(Number), milliseconds(fraction)];
  const inYear = (candidate: number): EpochMs => instant([candidate, month, ...rest], zone);
  if (year !== undefined) return checked(inYear(Number(year)));
  const thisYear = new Date(near).getFullYear();
  const at = inYear(thisYear + 1) <= near + DAY ? inYear(thisYear + 1) : inYear(thisYear);
  return checked(at > near + DAY ? inYear(thisYear - 1) : at);
}

function instant(parts: readonly number[], zone: string | undefined): EpochMs {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millis = 0] = parts;
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, millis).getTime();
  return Date.UTC(year, month - 1, day, hour, minute, second, millis) - zoneOffset(zone);
}

function zoneOffset(zone: string): Millis {
  if (zone === 'Z' || zone === 'UTC' || zone === 'GMT') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))) * 60_000;
}

function milliseconds(fraction = '0'): Millis {
  return Math.trunc(Number(`0.${fraction}`) * 1000);
}

function checked(at: EpochMs): EpochMs | null {
  return Number.isFinite(at) ? at : null;
}

/** A forged line can contain any number. */
const MOST_REPEATED = 1000;

/**
 * Written by rsyslog with `$RepeatedMsgReduction on` (runtime/ratelimit.c), which truncates the message after 800
 * bytes.
 */
const MESSAGE_REPEATED = /^\s*message repeated (\d{1,10}) times: \[\s*/u;
/** Written by syslog-ng with `suppress()` (lib/logwriter.c) and BSD syslogd. */
const LAST_REPEATED =
  /(?:: |\] )Last message '.*' repeated (\d{1,10}) times, suppressed by |^[^="]* last message repeated (\d{1,10}) times$/u;

/** For example `message repeated 3 times: [message]`. */
function readRepeated(message: string): { readonly message: string; readonly times: number } | null {
  const match = MESSAGE_REPEATED.exec(message);
  if (match === null) return null;
  return { message: message.slice(match[0].length).replace(/\]\s*$/u, ''), times: capped(match[1]) };
}

/** Returns, for example, 3 for "last message repeated 3 times", and 0 for any other line. */
export function timesOfLast(line: string): number {
  // Lines after an error are common, and this search is faster than the pattern.
  const match = line.includes('repeated ') ? LAST_REPEATED.exec(line) : null;
  return match === null ? 0 : capped(match[1] ?? match[2]);
}

function capped(digits: string | undefined): number {
  return Math.max(1, Math.min(Number(digits ?? 1), MOST_REPEATED));
}
