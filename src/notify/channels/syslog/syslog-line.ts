import type { EpochMs } from '../../../core/clock.ts';
import { cutToBytes } from '../../../core/cut-bytes.ts';
import { isoTime } from '../../../core/instant-text.ts';
import { OWN_PROGRAM } from '../../../core/syslog-program.ts';
import { visibleText } from '../../../core/visible-text.ts';

/** What one line says. */
export interface SyslogEvent {
  readonly at: EpochMs;
  /** As RFC 5424 §6.2.1 numbers them. */
  readonly severity: 2 | 4 | 5 | 6;
  /** The machine that ftm-watch runs on. */
  readonly host: string;
  /** What happened, one word. */
  readonly messageId: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly message: string;
}

/** "System daemons": RFC 5424 §6.2.1, table 1. */
const FACILITY_DAEMON = 3;
/**
 * Nobody has registered a number for ftm-watch; RFC 5612 gives this one to examples, so that no other program's data
 * bears the name.
 */
const DATA_ID = `${OWN_PROGRAM}@32473`;
/** What a receiver should take (RFC 5424 §6.1). */
const MAX_BYTES = 2048;
const MAX_VALUE = 200;

/** A message of RFC 5424, without a line break and of at most 2048 bytes of UTF-8. */
export function syslogLine({ at, severity, host, messageId, parameters, message }: SyslogEvent): string {
  const data = Object.entries(parameters).map(([name, value]) => ` ${name}="${parameterValue(value)}"`);
  const header = `<${String(FACILITY_DAEMON * 8 + severity)}>1 ${isoTime(at)} ${hostField(host)} ${OWN_PROGRAM} -`;
  const head = `${header} ${messageId} [${DATA_ID}${data.join('')}]`;
  const text = visibleText(message, MAX_BYTES);
  // §6.4: what is not ASCII alone begins with a mark that it is UTF-8.
  return cutToBytes(`${head} ${/^[ -~]*$/u.test(text) ? '' : '\u{FEFF}'}${text}`, MAX_BYTES);
}

/** §6.3.3: three characters are escaped. */
function parameterValue(value: string): string {
  return visibleText(value, MAX_VALUE).replaceAll(/["\\\]]/gu, String.raw`\$&`);
}

/** §6.2.4: printable ASCII, or "-" for none. */
function hostField(host: string): string {
  const printable = host.replaceAll(/[^!-~]/gu, '').slice(0, 255);
  return printable === '' ? '-' : printable;
}
