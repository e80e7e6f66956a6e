import { readFields } from './fields.ts';
import { findTime } from './timestamp.ts';

/** What stands around the message of a line. */
export interface Envelope {
  /** When it was logged, as it stands in the line: for `readTime`. */
  readonly time: string | null;
  /** As it stands in the line: the name or the address of the sender as a relay saw it. Hostile text. */
  readonly host: string | null;
  readonly body: Body;
}

/**
 * `message`: `texts` are where the message may begin. `all`: every one of them must fit, since a line with more than one place that
 * looks like the end of its fields was written by somebody else in part (a user name may hold quotes). `fields`: a FortiGate's `key=value` line.
 */
export type Body =
  | { readonly kind: 'message'; readonly texts: readonly string[]; readonly all: boolean }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, string> };

const PRIORITY = /^<\d{1,3}>/u;
/** RFC 5424 §6: version, time, host, application, process, message id. */
const RFC5424 = /^1 (\S{1,64}) (\S{1,255}) \S{1,128} \S{1,128} \S{1,128} /u;
const STRUCTURED_DATA = /^(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: |$)/u;
/** `host tag[pid]: `, where FortiAuthenticator leaves the host out. */
const TAG = /^(?:(\S{1,255}) )?[\w./-]{1,64}(?:\[\d{1,10}\])?: */u;
/** What is left of the time's word, such as fractions, and the blanks behind it. */
const AFTER_TIME = /^\S*\s+/u;
const HOST = /^(\S{1,255}) /u;
/** A further field between `status` and the message, as newer firmware might add. */
const MORE_FIELDS = /^(?:[a-z_]{1,32}=(?:"[^"]*"|[^\s"]*) +){1,8}/u;

/**
 * Takes one line apart: RFC 3164 as FortiAuthenticator sends it (the host may be missing), RFC 5424 and ISO times as relays write
 * them, the raw export, and text without any envelope. Never fails: what it does not know is message.
 */
export function readEnvelope(line: string): Envelope {
  const text = line.replace(PRIORITY, '');
  const modern = RFC5424.exec(text);
  if (modern !== null) return readModern(text.slice(modern[0].length), modern);
  const time = text.startsWith('date=') ? null : findTime(text);
  const rest = time === null ? text : text.slice(time.length).replace(AFTER_TIME, '');
  const tag = TAG.exec(rest);
  if (tag === null) {
    const host = HOST.exec(rest)?.[1] ?? null;
    return finish([rest, rest.replace(HOST, '')], { time, host: plausibleHost(host) });
  }
  return finish([rest.slice(tag[0].length), rest, rest.replace(HOST, '')], { time, host: plausibleHost(tag[1] ?? null) });
}

function readModern(rest: string, header: RegExpExecArray): Envelope {
  const message = rest
    .replace(STRUCTURED_DATA, '')
    .replace(/^\u{FEFF}/u, '')
    .trimStart();
  const tag = TAG.exec(message);
  const starts = tag === null ? [message] : [message, message.slice(tag[0].length)];
  const host = header[2] ?? '-';
  return finish(starts, { time: header[1] ?? null, host: host === '-' ? null : host });
}

function finish(starts: readonly string[], head: Pick<Envelope, 'time' | 'host'>): Envelope {
  for (const start of starts) {
    if (start.startsWith('category="')) return { ...head, body: afterFields(start) };
    if (start.startsWith('date=') || start.startsWith('time=')) return readExport(start, head);
  }
  return { ...head, body: { kind: 'message', texts: [...new Set(starts)], all: false } };
}

/** `category="…" … status="…" message`, the message without a key. */
function afterFields(body: string): Body {
  return { kind: 'message', texts: everyEnd(body, ' status="').map((end) => end.replace(MORE_FIELDS, '')), all: true };
}

/** `date=… msg="message" user="…"`: quotes within are not escaped. A FortiGate's line has the same beginning. */
function readExport(body: string, head: Pick<Envelope, 'time' | 'host'>): Envelope {
  const time = findTime(body) ?? head.time;
  if (!/ (?:oid=\d|cat=")/u.test(body)) {
    return { ...head, time, body: { kind: 'fields', fields: readFields(body) } };
  }
  const texts = body
    .split(' msg="')
    .slice(1)
    .map((text) => text.replace(/"(?: user="| requestid=|\s*$).*$/u, ''));
  return { ...head, time, body: { kind: 'message', texts: texts.length === 0 ? [body] : texts, all: true } };
}

/** What follows each place where `key` (with its opening quote) is given a value. */
function everyEnd(body: string, key: string): readonly string[] {
  return body
    .split(key)
    .slice(1)
    .map((part) => part.replace(/^[^"]*" */u, ''));
}

/** A word in front of a message is not a host just because it stands there; nobody is named "FTM". */
function plausibleHost(host: string | null): string | null {
  return host !== null && /^[\w.:[\]%-]+$/u.test(host) ? host : null;
}
