import type { Gauge } from 'prom-client';

/**
 * A gauge with a series for each state that a thing can be in: 1 for the one that it is in, 0 for the others (what
 * OpenMetrics calls a StateSet). Saying again what is so already costs nothing.
 */
export class StateSet<State extends string> {
  readonly #gauge: Gauge;
  readonly #thing: string;
  readonly #state: string;
  readonly #states: readonly State[];
  readonly #current = new Map<string, State | null>();

  /** @param labels of the gauge: of the thing, and of its state */
  constructor(gauge: Gauge, [thing, state]: readonly [thing: string, state: string], states: readonly State[]) {
    this.#gauge = gauge;
    this.#thing = thing;
    this.#state = state;
    this.#states = states;
  }

  /** @param current null: in none of them */
  set(thing: string, current: State | null): void {
    if (this.#current.get(thing) === current) return;
    this.#current.set(thing, current);
    for (const state of this.#states)
      this.#gauge.set({ [this.#thing]: thing, [this.#state]: state }, state === current ? 1 : 0);
  }

  reset(): void {
    this.#current.clear();
    this.#gauge.reset();
  }
}
