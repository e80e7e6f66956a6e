import type { Cause, CauseId, Severity } from '../cause.ts';
import type { EpochMs } from '../clock.ts';

/** One fault, from the round that confirmed it to its end, however its cause was understood meanwhile. */
export interface Incident {
  /** Made of the time and a counter: unique at this site. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  /** As it is understood now. */
  readonly cause: Cause;
  /** How it was understood before, oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** The first round that showed it, before it was confirmed. */
  readonly since: EpochMs;
  readonly openedAt: EpochMs;
  readonly closedAt: EpochMs | null;
  /** The last round that showed the cause. */
  readonly lastSeen: EpochMs;
  /** When the cause became what it is now. */
  readonly causeSince: EpochMs;
  /** Times at which the cause came back, within the flap window. */
  readonly returns: readonly EpochMs[];
  /** Rounds in a row that showed it (while closed) or did not (while open). */
  readonly streak: number;
  /** What the last round said about it. */
  readonly sight: Sight;
  /** What people were told last; null: nothing yet. */
  readonly told: Told | null;
  /** A notification that waited for the digest: it is told even when the incident is over by then. */
  readonly held: boolean;
  /** Alertmanager may know about it: true from the first moment that was neither in maintenance nor silenced. */
  readonly published: boolean;
  readonly thread: Thread;
}

/** `unjudged`: the round could not tell; `hidden`: something deeper is broken, so that it cannot be judged. */
export type Sight = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause {
  readonly id: CauseId;
  readonly subject: string;
  readonly severity: Severity;
  readonly until: EpochMs;
}

export interface Told {
  readonly at: EpochMs;
  readonly severity: Severity;
  readonly cause: CauseId;
  readonly subject: string;
}

/** The notifications of an incident, so that mail programs show them as one conversation. */
export interface Thread {
  /** Notifications so far. */
  readonly count: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** A cause that was seen, but not often enough yet. */
export interface Candidate {
  readonly cause: Cause;
  readonly since: EpochMs;
  readonly streak: number;
}

/** Notifications about matching incidents wait until it ends. A null matches everything. */
export interface Silence {
  readonly id: string;
  readonly cause: CauseId | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** All that the machine knows: plain data that survives JSON. */
export interface IncidentState {
  readonly version: 1;
  /** Counts incidents, digests and silences: names are made from it. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  /** The open ones, and the closed ones that may come back or are still to be told. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** When notifications went out, within the last hour. */
  readonly sent: readonly EpochMs[];
}

export const EMPTY_STATE: IncidentState = {
  version: 1,
  counter: 0,
  candidates: [],
  incidents: [],
  silences: [],
  maintenance: false,
  sent: [],
};

/** What identifies a cause: two causes with the same key are the same fault. */
export function sameCause(
  a: { readonly id: CauseId; readonly subject: string },
  b: { readonly id: CauseId; readonly subject: string },
): boolean {
  return a.id === b.id && a.subject === b.subject;
}

/** It came back this often within the flap window: it comes and goes, and stays open for longer. */
const FLAPPING_RETURNS = 3;

export function isFlapping(incident: Incident): boolean {
  return incident.status === 'open' && incident.returns.length >= FLAPPING_RETURNS;
}

/** True while notifications about a cause wait. */
export function isMuted(state: Pick<IncidentState, 'maintenance' | 'silences'>, cause: Cause, now: EpochMs): boolean {
  return state.maintenance || state.silences.some((silence) => silences(silence, cause, now));
}

function silences(silence: Silence, cause: Cause, now: EpochMs): boolean {
  return (
    silence.from <= now &&
    now < silence.until &&
    (silence.cause === null || silence.cause === cause.id) &&
    (silence.subject === null || silence.subject === cause.subject)
  );
}
