import type { SourcesConfig } from '../sources/registry.ts';
import type { ClockObservation } from '../core/observation.ts';
import type { RoundObservations } from '../sources/registry.ts';

/** What one round knows beside the targets. */
export interface RoundFacts {
  readonly config: SourcesConfig;
  readonly round: RoundObservations;
  /** The time as NTP servers and HTTP answers told it. */
  readonly clock: readonly ClockObservation[];
}
