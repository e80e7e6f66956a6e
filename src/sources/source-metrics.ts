/** A gauge of a source. Its labels are closed sets: text from the network never becomes a label. */
export interface GaugeDefinition {
  /** A part of the contract. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** A value stays until a newer one takes its place; without, it is gone as soon as the facts do not tell it. */
  readonly stays?: true;
}

export interface Reading {
  readonly gauge: GaugeDefinition;
  readonly labels: Readonly<Record<string, string>>;
  /** null: not known. */
  readonly value: number | null;
}

/** How the facts of a source become metrics. */
export interface SourceMetrics<Facts, Settings> {
  readonly gauges: readonly GaugeDefinition[];
  readings(facts: Facts, settings: Settings): readonly Reading[];
}
