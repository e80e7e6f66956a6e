import type { Check } from '../check.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';

/** When incidents open and close, and how much is told. Counts are rounds, times are milliseconds. */
export interface IncidentPolicy {
  /** What is judged: all checks, in the order of the path. */
  readonly checks: readonly Check[];
  /** Rounds in a row that must show a cause before its incident opens. */
  readonly confirmations: number;
  /** Rounds in a row without it before its incident closes. */
  readonly recoveries: number;
  /** Between two notifications of an incident that stays open; 0 sends none. */
  readonly reminder: Millis;
  /** Notifications in any hour; what is more waits for a digest. */
  readonly maxPerHour: number;
  /** How long after its end an incident may be opened again, as the same one. */
  readonly reopenWindow: Millis;
  readonly flapping: Flapping;
  /** More notifications than this from one round: the gravest goes out alone, the rest as a digest. */
  readonly burst: number;
  /** False: there is nobody to tell, so nothing counts as told. */
  readonly tells: boolean;
  /** How far apart the checks of a precondition are as planned, by its id. */
  readonly intervals: Readonly<Record<string, Millis>>;
}

/** More outages of one target than this within that time are flapping: the incident closes only after a quiet time. */
export interface Flapping {
  readonly outages: number;
  readonly within: Millis;
  /** How long the cause must have been away. */
  readonly quiet: Millis;
}

/** The present, and what is asked of it. */
export interface Moment {
  readonly now: EpochMs;
  readonly policy: IncidentPolicy;
}

const MINUTE: Millis = 60_000;

/** What the configuration does not ask about. */
export const INCIDENT_DEFAULTS: Pick<IncidentPolicy, 'reopenWindow' | 'flapping' | 'burst'> = {
  reopenWindow: 30 * MINUTE,
  flapping: { outages: 5, within: 120 * MINUTE, quiet: 15 * MINUTE },
  burst: 3,
};

/** More than this is not only a check that was left out, or a round that took its time. */
const GAP_INTERVALS = 3;
const LONGEST_ROUND: Millis = 15_000;

/** Whether there was no check of a precondition for so long that nobody can tell what happened meanwhile. */
export function isGap({ intervals }: IncidentPolicy, precondition: string, time: Millis): boolean {
  return time > GAP_INTERVALS * (intervals[precondition] ?? Infinity) + LONGEST_ROUND;
}

/**
 * An intermittent fault is seldom seen in `confirmations` rounds in a row. It is one when it was `seen` in that
 * many of the last rounds: enough of them for one that is there in every second round, too many for failures by
 * accident. With the default of 2 confirmations, 5 of 10: rounds of which 2 % fail by themselves make that once in two
 * years at one in 30 s.
 */
export function intermittence({ confirmations }: IncidentPolicy): { readonly seen: number; readonly of: number } {
  const seen = 2 * confirmations + 1;
  return { seen, of: 2 * seen };
}
