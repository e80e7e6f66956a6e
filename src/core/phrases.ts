export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const MOST_NAMES = 8;

/** If there are more than `most` names, only the first names and the number of remaining names are listed. */
export function nameList(names: readonly string[], most = MOST_NAMES, separator = ', '): string {
  if (names.length <= most) return names.join(separator);
  return `${names.slice(0, most - 1).join(separator)} and ${String(names.length - most + 1)} more`;
}
