/** `1 day`, `2 days` */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** More than these are not read. */
const MOST_NAMES = 8;

/** Names for a sentence, `a, b, c`; of more than `most` the first ones, and how many more there are. */
export function nameList(names: readonly string[], most = MOST_NAMES, separator = ', '): string {
  if (names.length <= most) return names.join(separator);
  return `${names.slice(0, most - 1).join(separator)} and ${String(names.length - most + 1)} more`;
}
