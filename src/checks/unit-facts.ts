import type { Config } from '../config/config.ts';
import type { SlowFactsBySource } from '../sources/registry.ts';

export interface UnitFacts {
  readonly config: Config;
  readonly picture: SlowFactsBySource;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}
