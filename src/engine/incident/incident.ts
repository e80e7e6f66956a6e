import type { Severity } from '../../core/severity.ts';
import type { Cause } from '../cause.ts';
import type { EpochMs } from '../../core/clock.ts';

/** One time at which a fault was there, from the first round that showed it to the all-clear. */
export interface Occurrence {
  /** The first round that showed the fault, before it was confirmed. */
  readonly since: EpochMs;
  /** When it was confirmed. */
  readonly openedAt: EpochMs;
  /** The last round that showed the cause. */
  readonly lastSeen: EpochMs;
  /** When it was said to be over; null: it is not. */
  readonly closedAt: EpochMs | null;
  /**
   * The last check before `since` and the first one after `lastSeen` that did not find the fault. Null: there was none,
   * or it was so far away that it tells little about the begin or the end.
   */
  readonly clear: { readonly before: EpochMs | null; readonly after: EpochMs | null };
}

/** One fault, from the round that confirmed it to its end, however its cause was understood meanwhile. */
export interface Incident extends Occurrence {
  /** Made of the time, the origin and a counter: unique anywhere. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  /** As it is understood now. */
  readonly cause: Cause;
  /** The evidence when it opened; `cause` has that of now. Empty where 0.1.0 opened it. */
  readonly openingEvidence: readonly string[];
  /** Who has taken it on; null: nobody has. */
  readonly acknowledgement: Acknowledgement | null;
  /** How it was understood before, and what it alternates with; oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** When the same fault was there before, each time up to its all-clear; oldest first. */
  readonly earlier: readonly Occurrence[];
  /** The first round that showed the cause as it is now. */
  readonly causeSince: EpochMs;
  /** Times at which the cause came back, of the last two hours. */
  readonly returns: readonly EpochMs[];
  /** Its target had too many outages lately: it closes only after a longer time without the cause. */
  readonly flapping: boolean;
  /** Rounds in a row that did not show it, while it is open. */
  readonly streak: number;
  /**
   * What the last round said about it. `unverified`: no round has judged it since it came out of a copy of the store,
   * or since a long time without rounds; it is reported to nobody until one has.
   */
  readonly presence: CausePresence | 'unverified';
  /** What people were told last; null: nothing yet. */
  readonly lastNotified: LastNotified | null;
  /** A notification that waited for the digest: it is told even when the incident is over by then. */
  readonly awaitsDigest: boolean;
  /**
   * Alertmanager may know about the present cause: true from the first moment that was neither in maintenance nor
   * silenced.
   */
  readonly published: boolean;
  readonly thread: Thread;
  /** The incidents that turned out to come and go in turn with this one: they go on in it. */
  readonly merged: readonly string[];
  /** The incident that this one goes on in; null: it stands for itself. */
  readonly mergedInto: string | null;
}

export interface Acknowledgement {
  readonly at: EpochMs;
  readonly by: string;
}

/** `unjudged`: the round could not tell; `hidden`: something deeper is broken, so that it cannot be judged. */
export type CausePresence = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause {
  readonly id: string;
  readonly subject: string;
  readonly severity: Severity;
  /** The first round that showed it. */
  readonly since: EpochMs;
  /** The last round that showed it. */
  readonly until: EpochMs;
  /** When the incident was understood otherwise. */
  readonly replacedAt: EpochMs;
  /** Alertmanager may know about it. */
  readonly published: boolean;
}

/** The last word, and every cause that was named since the incident began, each as grave as it was named. */
export interface LastNotified extends NamedCause {
  readonly at: EpochMs;
  readonly named: readonly NamedCause[];
}

export interface NamedCause {
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
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
  /** The first of the rounds in a row that showed it. */
  readonly since: EpochMs;
  /** Rounds in a row that showed it, up to now. */
  readonly streak: number;
  /** The last rounds that could judge it, oldest first: when it was seen, null where it was not. */
  readonly looks: readonly (EpochMs | null)[];
  /** The last round before `since` that did not show it, as in `Occurrence`. */
  readonly clearBefore: EpochMs | null;
}

/** A precondition that no round can judge. */
export interface Unjudged {
  readonly precondition: string;
  readonly since: EpochMs;
  /** The last round that could not. */
  readonly at: EpochMs;
  /** How often it was checked since then. */
  readonly checked: number;
}

/** Notifications about matching incidents wait until it ends. A null matches everything. */
export interface Silence {
  readonly id: string;
  readonly cause: string | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** All that the machine knows: plain data that survives JSON. */
export interface IncidentState {
  readonly version: 1;
  /** A random name of this store, in the id of everything that is told: two sites never tell under one id. */
  readonly origin: string;
  /** Counts incidents, digests and silences: names are made from it. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  /** The open ones, and the closed ones that may come back or are still to be told. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** When notifications went out, within the last hour. */
  readonly sent: readonly EpochMs[];
  /** Since when a process works with it; null: the last one ended as it was asked to. */
  readonly runningSince: EpochMs | null;
  /** When it was last told that a process had ended by itself; null: never. */
  readonly restartToldAt: EpochMs | null;
  /** Until when the last summary told; null: none was asked for yet. */
  readonly summarizedUntil: EpochMs | null;
}

export const EMPTY_STATE: IncidentState = {
  version: 1,
  origin: '',
  counter: 0,
  candidates: [],
  unjudged: [],
  incidents: [],
  silences: [],
  maintenance: false,
  sent: [],
  runningSince: null,
  restartToldAt: null,
  summarizedUntil: null,
};

/** What identifies a cause: two causes with the same key are the same fault. */
export function sameCause(a: Pick<Cause, 'id' | 'subject'>, b: Pick<Cause, 'id' | 'subject'>): boolean {
  return a.id === b.id && a.subject === b.subject;
}

/** Something that is wrong now, and not worth a note alone. */
export function isOpenFault({ status, cause }: Incident): boolean {
  return status === 'open' && cause.severity !== 'info';
}

/** The state with these incidents instead of their earlier versions. */
export function withIncidents(state: IncidentState, changed: readonly Incident[]): IncidentState {
  const byId = new Map(changed.map((incident) => [incident.id, incident]));
  return { ...state, incidents: state.incidents.map((incident) => byId.get(incident.id) ?? incident) };
}

/** More occurrences than these are no longer told one by one. */
export const MAX_EARLIER = 20;

/** When the fault was there for the first time. */
export function firstOccurrence(incident: Incident): Occurrence {
  return incident.earlier[0] ?? incident;
}

/** Open as far as is known, but it may have ended long ago. */
export function isUnverified({ status, presence }: Incident): boolean {
  return status === 'open' && presence === 'unverified';
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
