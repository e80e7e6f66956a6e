import leven from 'leven';

/**
 * Finds a word that differs only by typing errors. Fewer errors are tolerated in short words, because two changes can
 * turn one word into another.
 */
export function closest(typed: string, known: readonly string[]): string | null {
  const lower = typed.toLowerCase();
  const distances = known.map((name) => ({ name, distance: leven(lower, name.toLowerCase()) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(best.name.length / 3))) return best.name;
  return known.find((name) => lettersOf(name) === lettersOf(typed)) ?? null;
}

/** Returns the same text for words that differ only by transposed letters. */
function lettersOf(word: string): string {
  return Array.from(word.toLowerCase()).toSorted().join('');
}
