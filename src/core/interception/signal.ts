/**
 * Something that speaks for interception. `strong` ones have no everyday innocent explanation; `weak` ones have (a renewal, several
 * nodes, virtual hosts) and only add to a suspicion.
 */
export interface Signal {
  /** Name of the expectation that failed, kebab-case. */
  readonly rule: string;
  readonly weight: 'strong' | 'weak';
  /** Signals of one group say the same thing twice: together they count once. */
  readonly group: 'names' | 'control' | 'reference' | 'device' | 'copy' | 'minted' | 'strength' | 'server-name';
  /**
   * It rules out that the chain is merely incomplete: whoever signed is not the vendor. Then that the chain does not verify counts as
   * a signal too.
   */
  readonly discreditsIssuer: boolean;
  readonly expected: string;
  readonly actual: string;
  /** The product that it points to. */
  readonly product: string | null;
}
