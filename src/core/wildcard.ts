/** In patterns of administrators and appliances, `*` matches any text. Both functions take linear time. */

/** Matches the whole text. */
export function matchesWildcard(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.slice(first.length).endsWith(last)) return false;
  const found = findParts(rest, text, first.length);
  return found !== null && found.end <= text.length - last.length;
}

/** Returns the first part of the text that matches, ignoring case. */
export function findWildcard(pattern: string, text: string): string | null {
  const folded = text.toLowerCase();
  const found = findParts(pattern.toLowerCase().split('*'), folded, 0);
  // The lower case of some letters is longer.
  return found === null ? null : (folded.length === text.length ? text : folded).slice(found.start, found.end);
}

function findParts(
  parts: readonly string[],
  text: string,
  from: number,
): { readonly start: number; readonly end: number } | null {
  let start: number | null = null;
  let end = from;
  for (const part of parts.filter((one) => one !== '')) {
    const at = text.indexOf(part, end);
    if (at === -1) return null;
    start ??= at;
    end = at + part.length;
  }
  return { start: start ?? from, end };
}
