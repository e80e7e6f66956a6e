import type { EpochMs } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';

/** What a summary tells beside what alerting knows by itself. */
export interface SummaryFacts {
  /** Share of the watched time in which activation could work, 0 to 1; null: nothing is known. */
  readonly availability: number | null;
  /** Incidents that ended in the time. */
  readonly ended: readonly Incident[];
  /** By appliance. */
  readonly tokensLeft: readonly { readonly appliance: string; readonly count: number }[];
  /** Soonest first. */
  readonly ends: readonly { readonly what: string; readonly at: EpochMs }[];
}
