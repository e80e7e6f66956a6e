import { readEnvelope } from './envelope.ts';

const LESS_THAN = 0x3c;
const COLON = 0x3a;
const CLOSING_BRACKET = 0x5d;
const BLANK = 0x20;
const MAX_HOST = 255;
/** A time behind its date, a zone, or the year, where the host should be. */
const OF_TIME = /^(?:\d{2}:\d{2}:\d{2}|[A-Z]{3,4}:? |[+-]\d|(?:19|20)\d{2} )/u;
/** The headers of a line end well within this. */
const LONGEST_HEADERS = 512;

/**
 * The host name of a line, found as cheaply as it goes, since a relay's every line is asked: behind the priority and
 * the time (RFC 3164, ISO, RFC 5424), else the first word. Null where the tag stands instead.
 */
export function hostInLine(text: string, start: number, end: number): string | null {
  const at = afterTime(text, afterPriority(text, start));
  const space = text.indexOf(' ', at);
  const stop = space < 0 || space > end ? end : space;
  if (stop <= at || stop - at > MAX_HOST) return null;
  const last = text.charCodeAt(stop - 1);
  return last === COLON || last === CLOSING_BRACKET ? null : text.slice(at, stop);
}

/**
 * The same for a line whose header is not as usual, or stands in front of another one; none where all of it was seen at
 * first.
 */
export function furtherHosts(text: string, start: number, end: number): readonly string[] {
  const head = text.slice(start, Math.min(end, start + LONGEST_HEADERS));
  return isPlain(head) ? [] : readEnvelope(head).hosts;
}

/**
 * FortiAuthenticator's line with its fields, and nothing that names a host: as a relay hands it on that keeps no
 * header.
 */
export function isNameless(text: string, start: number, end: number): boolean {
  const { hosts, body } = readEnvelope(text.slice(start, Math.min(end, start + LONGEST_HEADERS)));
  return hosts.length === 0 && body.kind === 'message' && body.complete;
}

/** One header of RFC 3164 or with an ISO time, and no other behind it. */
function isPlain(head: string): boolean {
  const at = afterPriority(head, 0);
  const host = afterTime(head, at);
  if (host === at || head.startsWith('1 ', at - 2)) return false;
  const message = head.indexOf(' ', host) + 1;
  return (
    head.indexOf('<', at) < 0 &&
    afterTime(head, message) === message &&
    !head.includes('\t') &&
    !OF_TIME.test(head.slice(host))
  );
}

/** Behind `<14>`, and the version of RFC 5424. */
function afterPriority(text: string, start: number): number {
  if (text.charCodeAt(start) !== LESS_THAN) return start;
  const close = text.indexOf('>', start);
  if (close < 0 || close > start + 4) return start;
  return text.startsWith('1 ', close + 1) ? close + 3 : close + 1;
}

/** `Aug 14 22:32:52 ` has a fixed width; an ISO time is one word. */
function afterTime(text: string, at: number): number {
  if (text.charCodeAt(at + 9) === COLON && text.charCodeAt(at + 12) === COLON && text.charCodeAt(at + 15) === BLANK)
    return at + 16;
  const code = text.charCodeAt(at);
  const isDigit = code >= 0x30 && code <= 0x39;
  if (!isDigit || text.charCodeAt(at + 4) !== 0x2d || text.charCodeAt(at + 7) !== 0x2d) return at;
  const space = text.indexOf(' ', at);
  return space < 0 ? at : space + 1;
}
