/** More than these are not read. */
const MOST_NAMES = 8;

/** Names for a sentence, `a, b, c`; of very many the first ones, and how many more there are. */
export function nameList(names: readonly string[]): string {
  if (names.length <= MOST_NAMES) return names.join(', ');
  return `${names.slice(0, MOST_NAMES - 1).join(', ')} and ${String(names.length - MOST_NAMES + 1)} more`;
}
