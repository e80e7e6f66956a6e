import type { SlowFactsBySource, SourcesConfig } from '../sources/registry.ts';

export interface UnitFacts {
  readonly config: SourcesConfig;
  readonly picture: SlowFactsBySource;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}
