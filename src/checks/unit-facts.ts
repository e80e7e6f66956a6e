import type { EpochMs } from '../core/clock.ts';
import type { OwnClock } from './clock/estimate.ts';
import type { SlowFactsBySource, SourcesConfig } from '../sources/registry.ts';

export interface UnitFacts {
  readonly config: SourcesConfig;
  readonly picture: SlowFactsBySource;
  /** When the round began. */
  readonly at: EpochMs;
  /** What the clocks of the units are compared with; null or absent: the round did not find it out. */
  readonly ownClock?: OwnClock | null;
  /** Names of the appliances whose log has arrived until now. */
  readonly speaking: readonly string[];
}
