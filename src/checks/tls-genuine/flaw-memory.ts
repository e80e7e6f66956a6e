import type { FlawKind } from './chain-flaws.ts';

/** What every accepted chain at an address had: a flaw that was always there has done no harm so far. */
export interface FlawMemory {
  /** Null: no accepted chain was seen there. */
  at(address: string): readonly FlawKind[] | null;
  /** Keeps what the accepted chain at an address has now. */
  keep(address: string, flaws: readonly FlawKind[]): void;
}

/** The address that was not seen for longest is forgotten, so that forged answers of a resolver do not end the memory. */
const MOST_ADDRESSES = 256;

/**
 * @param learned flaws of the learned chain, which is what a new address is compared with; null: nothing was learned
 */
export function createFlawMemory(learned: readonly FlawKind[] | null): FlawMemory {
  const kept = new Map<string, readonly FlawKind[]>();
  const at = (address: string): readonly FlawKind[] | null => kept.get(address) ?? learned;
  return {
    at,
    keep: (address, flaws) => {
      const before = at(address);
      // The address that was not seen for the longest time makes room: names change their addresses over months.
      kept.delete(address);
      kept.set(address, before === null ? flaws : before.filter((kind) => flaws.includes(kind)));
      for (const oldest of [...kept.keys()].slice(0, -MOST_ADDRESSES)) kept.delete(oldest);
    },
  };
}
