import type { Diagnosis } from '../engine/diagnosis.ts';

/** Tells those who asked of each diagnosis. */
export class RoundFeed {
  readonly #listeners = new Set<(diagnosis: Diagnosis) => void>();

  /** The returned function ends it. */
  subscribe(listener: (diagnosis: Diagnosis) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(diagnosis: Diagnosis): void {
    for (const listener of this.#listeners) listener(diagnosis);
  }
}
