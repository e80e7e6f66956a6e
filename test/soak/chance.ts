import { randomOf } from '../support/random/random-of.ts';

/** Choices that are the same for the same seed. */
export class Chance {
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly share: () => number;

  constructor(seed: number) {
    this.share = randomOf(seed);
  }

  between(low: number, high: number): number {
    return Math.floor(low + this.share() * (high - low));
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, rank: this.share() }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ item }) => item);
  }
}

/** All items in random order, shuffled again after all have been drawn. */
export class Deck<T> {
  readonly #all: readonly T[];
  readonly #chance: Chance;
  readonly #left: T[] = [];

  constructor(all: readonly T[], chance: Chance) {
    this.#all = all;
    this.#chance = chance;
  }

  /** Returns null if not even a fresh deck has what is meant. */
  draw(isMeant: (card: T) => boolean = () => true): T | null {
    if (!this.#left.some(isMeant)) this.#left.push(...this.#chance.shuffled(this.#all));
    const index = this.#left.findIndex(isMeant);
    return index === -1 ? null : (this.#left.splice(index, 1)[0] ?? null);
  }
}
