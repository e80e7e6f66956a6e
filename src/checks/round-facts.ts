import type { CarrierFindings } from './delivery/judge-carrier.ts';
import type { SourcesConfig } from '../sources/registry.ts';
import type { ClockObservation } from '../core/observation.ts';
import type { RoundObservations } from '../sources/registry.ts';

/** What one round knows beside the targets. */
export interface RoundFacts {
  readonly config: SourcesConfig;
  readonly round: RoundObservations;
  /** The services that carry codes, and what the checks of the path found at them. */
  readonly carriers: readonly CarrierFindings[];
  /** The time as NTP servers and HTTP answers told it. */
  readonly clock: readonly ClockObservation[];
  /** Hosts that have answered in a round before this one since the start, `host:port`. */
  readonly answered: ReadonlySet<string>;
}
