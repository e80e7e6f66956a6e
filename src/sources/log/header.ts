import { OWN_PROGRAM } from '../../core/syslog-program.ts';
import { findTime } from './timestamp.ts';

/** What a program wrote in front of a message: FortiAuthenticator itself, or a relay in front of that. */
export interface Header {
  /** As it stands there: for `readTime`. */
  readonly time: string | null;
  /** The names or addresses of the sender as the writer saw it: usually one, none if it is missing. Hostile text. */
  readonly hosts: readonly string[];
  /** ftm-watch itself wrote the message: it went out as a notification, and a relay brings it back. */
  readonly own: boolean;
  /** Where the message may begin. One that begins with another header stands alone. */
  readonly starts: readonly string[];
}

const PRIORITY = /^<\d{1,3}>\s*/u;
/** RFC 5424 §6: version, time, host, application, process, message id. */
const RFC5424 = /^1 (\S{1,64}) (\S{1,255}) (\S{1,128}) \S{1,128} \S{1,128} /u;
const STRUCTURED_DATA = /^(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: |$)/u;
/**
 * Kiwi Syslog Server, "Kiwi format ISO yyyy-mm-dd (Tab delimited)": time, facility and level, host, message
 * (https://documentation.solarwinds.com/en/success_center/kss/content/kss_log_file_formats.htm). The other formats only
 * turn the date.
 */
const KIWI = /^(\d{2,4}-\d{2}-\d{2,4}[ \t]\d{2}:\d{2}:\d{2})\t\w{1,20}\.\w{1,20}\t(\S{1,255})\t/u;
/** `host tag[pid]: `. FortiAuthenticator omits the host, some relays the colon. */
const TAG = /^(?:(\S{1,255}) )?[\w./-]{1,64}(?:(?:\[\d{1,10}\])?: *|\[\d{1,10}\] +(?=category="|status=))/u;
/** `host->sender ` or `(agent) sender->file ` in the archives of OSSEC and Wazuh. */
const ARROW = /^(?:\(([^()\s]{1,255})\) )?([^\s>]{1,255})->(\S{1,255}) +/u;
const HOST = /^(\S{1,255})\s+/u;
/** As a tag, which rsyslog writes without a colon where it had none in RFC 5424. */
const OWN_TAG = new RegExp(`^(?:\\S{1,255} )?${OWN_PROGRAM}(?:\\[\\d{1,10}\\])?(?::| |$)`, 'u');
/** What is left of the time's word, the zone that some devices name behind it (`CEST`, `EDT:`), and the blanks. */
const AFTER_TIME = /^\S*\s+(?:(?:WES?T|BST|CES?T|EES?T|MSK|E[SD]T|C[SD]T|M[SD]T|P[SD]T|AE[SD]T|JST|IST|HKT|SGT):? +)?/u;
const CEF = /^CEF: ?\d/u;
/** FortiAuthenticator's own fields begin with the first of these; a collector may have kept only the last field. */
const OWN_FIELDS: readonly string[] = ['category="', 'status='];
/** Whatever stands for another header, or another format, begins so: most messages do not, which is seen at once. */
const MAY_BEGIN_ANEW = /^[<\dA-Z]/u;

/** True if `text` begins with FortiAuthenticator's own fields. */
export function beginsWithFields(text: string): boolean {
  return OWN_FIELDS.some((field) => text.startsWith(field));
}

/** The header at the beginning of `text`; null: none that is known for sure, such as a tag alone. */
export function readHeader(text: string): Header | null {
  return MAY_BEGIN_ANEW.test(text) ? readPossible(text) : null;
}

function readPossible(text: string): Header | null {
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
    };
  const time = rest.startsWith('date=') ? null : findTime(rest);
  if (time === null && prioritised === '') return null;
  const sender = time === null ? rest : rest.slice(time.length).replace(AFTER_TIME, '');
  return { time, own: OWN_TAG.test(sender), ...readSender(sender) };
}

/** The sender in front of a message: `host tag: `, one of the two, or neither. */
export function readSender(text: string): Pick<Header, 'hosts' | 'starts'> {
  if (beginsWithFields(text) || beginsAnew(text)) return { hosts: [], starts: [text] };
  const arrow = ARROW.exec(text);
  if (arrow !== null) return { hosts: plausibleHosts(...arrow.slice(1)), starts: [text.slice(arrow[0].length)] };
  const host = HOST.exec(text);
  const behindHost = host === null ? text : text.slice(host[0].length);
  if (beginsAnew(behindHost)) return { hosts: plausibleHosts(host?.[1]), starts: [behindHost] };
  const tag = TAG.exec(text);
  if (tag === null) return { hosts: plausibleHosts(host?.[1]), starts: [text, behindHost] };
  const message = text.slice(tag[0].length);
  return {
    hosts: plausibleHosts(tag[1]),
    starts: beginsWithFields(message) || beginsAnew(message) ? [message] : [message, text, behindHost],
  };
}

function readModern(rest: string, header: RegExpExecArray): Header {
  const message = rest
    .replace(STRUCTURED_DATA, '')
    .replace(/^\u{FEFF}/u, '')
    .trimStart();
  const { starts } = readSender(message);
  return {
    time: header[1] ?? null,
    hosts: plausibleHosts(header[2] === '-' ? undefined : header[2]),
    own: header[3] === OWN_PROGRAM,
    starts: [message, ...starts],
  };
}

/** Another header, or a format whose own beginning looks like a tag. */
function beginsAnew(text: string): boolean {
  return (
    MAY_BEGIN_ANEW.test(text) && (CEF.test(text) || PRIORITY.test(text) || KIWI.test(text) || findTime(text) !== null)
  );
}

/** A word in front of a message is not a host just because it stands there; nobody is named "FTM". */
function plausibleHosts(...hosts: readonly (string | undefined)[]): readonly string[] {
  return hosts.flatMap((host) => (host !== undefined && /^[\w.:[\]%-]+$/u.test(host) ? [host] : []));
}
