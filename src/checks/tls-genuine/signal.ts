import type { Expectation } from './expectations.ts';

/**
 * Something that speaks for interception.
 * - `witness`: seen in this round, and no change at the vendor can produce it. One is enough to turn a suspicion into a
 *   certainty.
 * - `hint`: a change at the vendor does not explain it, but it rests on what was known before: it raises a suspicion,
 *   no more.
 * - `weak`: has everyday explanations (a renewal, several nodes, virtual hosts), or says only since when; it stands in
 *   the evidence.
 */
export interface Signal extends Expectation {
  readonly weight: 'witness' | 'hint' | 'weak';
  /** The product that it points to. */
  readonly product?: string;
}

/** A signal apart from its name and its weight. */
export type Seen = Pick<Signal, 'claim' | 'expected' | 'actual' | 'quote' | 'witness' | 'fullNames' | 'product'>;
