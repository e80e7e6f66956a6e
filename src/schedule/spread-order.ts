import { createHash } from 'node:crypto';

/**
 * The order in which items are begun: as if shuffled, and always the same for the same seed, whatever the order of the
 * configuration. Neighbours in a list are often one host, which should not be asked for everything in a row; and of
 * several agents with the same list none should follow in the steps of another.
 */
export function spreadOrder<T>(items: readonly T[], keyOf: (item: T) => string, seed: string): readonly T[] {
  const placed = items.map((item) => ({
    item,
    place: createHash('sha256')
      .update(`${seed} ${keyOf(item)}`)
      .digest('hex'),
  }));
  return placed.toSorted((a, b) => (a.place < b.place ? -1 : Number(a.place > b.place))).map(({ item }) => item);
}
