const MAX_SAMPLE = 1024;

/** Activation codes and licence keys: five groups of four hexadecimal digits. */
const CODE = /\b[0-9A-F]{4}(?:-[0-9A-F]{4}){4}\b/giu;
/** Control characters, and those that turn, hide or break the text around them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A line fit for people, mail and terminals: nothing in it acts, no secret stands in it, at most 1024 characters. */
export function sampleOf(line: string): string {
  const cut = line.length > MAX_SAMPLE ? `${line.slice(0, MAX_SAMPLE - 1)}…` : line;
  return cut.replace(UNPRINTABLE, '\u{FFFD}').replace(CODE, '<code>').trim();
}
