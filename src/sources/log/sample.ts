import { maskedLine } from '../../text/mask.ts';

const MAX_SAMPLE = 1024;

/** Control characters, and those that turn, hide or break the text around them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * A line fit for people, mail and terminals: nothing in it acts, nobody is named in it, no code or secret stands in it;
 * at most 1024 characters.
 */
export function sampleOf(line: string): string {
  const masked = maskedLine(line.replace(UNPRINTABLE, '\u{FFFD}'));
  const cut = masked.length > MAX_SAMPLE ? `${masked.slice(0, MAX_SAMPLE - 1)}…` : masked;
  // A cut may have halved a character.
  return cut.toWellFormed().trim();
}
