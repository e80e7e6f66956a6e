/**
 * Makes text from the network safe to show on one line: control characters (a terminal obeys them), line breaks and
 * bidirectional overrides (they reorder what a person reads) become visible, and length is bounded.
 */
export function printable(text: string, limit = 1_000): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replaceAll(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Unicode control, format, surrogate and line-separating characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
