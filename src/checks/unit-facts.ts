import type { EpochMs } from '../core/clock.ts';
import type { SlowFactsBySource, SourcesConfig } from '../sources/registry.ts';

export interface UnitFacts {
  readonly config: SourcesConfig;
  readonly picture: SlowFactsBySource;
  /** When the round began. */
  readonly at: EpochMs;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}
