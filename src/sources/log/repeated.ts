/** That so many lines came is anybody's word. */
const MOST_REPEATED = 1000;

/** rsyslog with `$RepeatedMsgReduction on` (runtime/ratelimit.c), which cuts what it repeats after 800 bytes. */
const MESSAGE_REPEATED = /^\s*message repeated (\d{1,10}) times: \[\s*/u;
/** syslog-ng with `suppress()` (lib/logwriter.c), and the syslogd of BSD: the line before is meant. */
const LAST_REPEATED =
  /(?:: |\] )Last message '.*' repeated (\d{1,10}) times, suppressed by |^[^="]* last message repeated (\d{1,10}) times$/u;

/** What a relay repeats, and how often it came. */
export function readRepeated(message: string): { readonly message: string; readonly times: number } | null {
  const match = MESSAGE_REPEATED.exec(message);
  if (match === null) return null;
  return { message: message.slice(match[0].length).replace(/\]\s*$/u, ''), times: capped(match[1]) };
}

/** In every line of which `timesOfLast` is not 0; a search goes by its first letter, which is rare. */
export const REPEATED = 'peated ';

/** How often the line before came again, where a line says only that. 0: it does not. */
export function timesOfLast(line: string): number {
  const match = LAST_REPEATED.exec(line);
  return match === null ? 0 : capped(match[1] ?? match[2]);
}

function capped(digits: string | undefined): number {
  return Math.max(1, Math.min(Number(digits ?? 1), MOST_REPEATED));
}
