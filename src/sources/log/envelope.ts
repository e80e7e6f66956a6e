import { readFields } from './fields.ts';
import { beginsWithFields, type Header, readHeader, readSender } from './header.ts';
import { readRepeated } from './repeated.ts';
import { findTime } from './timestamp.ts';

/** What stands around the message of a line. */
export interface Envelope {
  /** When it was logged, as it stands in the line: for `readTime`. */
  readonly time: string | null;
  /**
   * As they stand in the line, the outermost first: the name or the address of the sender as a relay saw it. Hostile
   * text.
   */
  readonly hosts: readonly string[];
  /** ftm-watch itself wrote it. */
  readonly own: boolean;
  /** How many lines alike a relay made one of. At least 1. */
  readonly times: number;
  readonly body: Body;
}

/**
 * `message`: each alternative is where the message may begin. All texts of an alternative must fit, since a line with
 * more than one place that looks like the end of its fields was written by somebody else in part (a user name may hold
 * quotes). `complete`: the line has its fields, so that nothing was cut off. `fields`: a FortiGate's `key=value` line.
 */
export type Body =
  | { readonly kind: 'message'; readonly alternatives: readonly (readonly string[])[]; readonly complete: boolean }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, string> };

/** A header a relay: more of them, one behind the other, are nobody's network. */
const MOST_HEADERS = 4;
/** A further field between `status` and the message, as newer firmware might add. */
const MORE_FIELDS = /^(?:[a-z_]{1,32}=(?:"[^"]*"|[^\s"]*) +){1,8}/u;
/** `status=update ` behind another field: in a message, the same letters stand behind a word. */
const BARE_STATUS = /(?<=^|"|=[^\s"]*) status=[^\s"]* */u;
/** What ends a quoted message: quotes within are not escaped. */
const END_OF_MSG = /"(?: [a-z_]{1,32}=|\s*$).*$/u;
/**
 * Common Event Format: seven fields, then `key=value`; `|` and `=` in values are escaped (Micro Focus, "ArcSight CEF",
 * 2017).
 */
const CEF = /^CEF: ?\d{1,2}(?:\|(?:[^|\\]|\\.)*){4}\|((?:[^|\\]|\\.)*)\|(?:[^|\\]|\\.)*\|/u;
/** The next key ends a value. */
const CEF_MESSAGE = /(?:^| )msg=(.*?)(?= \w+=|$)/gu;

/**
 * Takes one line apart: RFC 3164 as FortiAuthenticator sends it (the host may be missing), RFC 5424, ISO times and
 * whatever else relays put around it, the raw export, and text without any envelope. Never fails: what it does not know
 * is message.
 */
export function readEnvelope(line: string): Envelope {
  const headers = readHeaders(line);
  const repeated = readRepeated(headers.starts[0] ?? '');
  const { time, body } = readBody(repeated === null ? headers.starts : [repeated.message], headers.time);
  return { time, hosts: headers.hosts, own: headers.own, times: repeated?.times ?? 1, body };
}

/** All headers, one behind the other. */
function readHeaders(line: string): Pick<Envelope, 'hosts' | 'own' | 'time'> & { readonly starts: readonly string[] } {
  const headers: Header[] = [];
  let starts: readonly string[] = [line];
  while (headers.length < MOST_HEADERS) {
    const header = readHeader(starts[0] ?? '');
    if (header === null) break;
    headers.push(header);
    starts = header.starts;
  }
  const hosts = headers.flatMap((header) => header.hosts);
  const time = headers.map((header) => header.time).find((text) => text !== null) ?? null;
  const own = headers.some((header) => header.own);
  const [only = '', ...others] = starts;
  if (others.length > 0 || beginsWithFields(only)) return { hosts, own, time, starts };
  const sender = readSender(only);
  return {
    hosts: [...hosts, ...sender.hosts],
    own,
    time,
    starts: [...sender.starts, only],
  };
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
 * `category="…" … status="…" message`, the message without a key. A collector may have put it behind `msg=`, right after
 * the status, and have removed the quotes of the status or the fields in front of it.
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

/** `date=… msg="message" user="…"`: quotes within are not escaped. A FortiGate's line has the same beginning. */
function readExport(body: string, headerTime: string | null): Pick<Envelope, 'time' | 'body'> {
  const time = findTime(body) ?? headerTime;
  if (!/ (?:oid=\d|cat=")/u.test(body)) return { time, body: { kind: 'fields', fields: readFields(body) } };
  const texts = body
    .split(' msg="')
    .slice(1)
    .map((text) => text.replace(/"(?: user="| requestid=|\s*$).*$/u, ''));
  return { time, body: complete(texts.length === 0 ? [body] : texts) };
}

/** The message is the name of the event, or its `msg`; which of them is the mapping's choice. */
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

/** What follows each place where `key` (with its opening quote) is given a value. */
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
