/**
 * Text from a stranger made safe to show: control characters, and those that turn or hide what stands beside them
 * (bidirectional overrides, zero-width ones, lone surrogates), are written as `\u{…}`; what is longer than `limit`
 * characters ends in `…`.
 */
export function visibleText(text: string, limit: number): string {
  const shown = text.slice(0, limit + 1).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escapeCharacter);
  // A pair of surrogates that the cut has halved is no character any more.
  return shown.length > limit ? `${shown.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…` : shown;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`;
}
