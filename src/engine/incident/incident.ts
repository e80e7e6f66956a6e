import type { Severity } from '../../core/severity.ts';
import type { Cause, Check } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

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
interface Thread {
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

/**
 * How long a fault was there, in words: `about 51 s`. Checks see it only now and then, so that this is the mean of the
 * shortest time that fits what they saw and the longest one. Where nothing is known of the time before or after it,
 * only the shortest one is: `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return spanText(Math.max(1, Math.round(span / 1_000)) * 1_000);
}

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
interface Flapping {
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

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/** What is to be told, complete in itself: it may be delivered long after the machine went on. */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** Unique: the name of the mail is made from it, so that a repeated delivery can be recognised. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** As it was at `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

/** A fault that was open when a notification about others was made. */
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  readonly since: EpochMs;
}

/** Several incidents in one notification. */
export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** Gravest first. */
  readonly items: readonly DigestItem[];
  /** More than fit in. */
  readonly omitted: number;
  /** The others. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

/** Sent by hand, to see whether the way to people works. */
export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** What ftm-watch tells of itself. Its texts are made when it is, in the zone of the site. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /** `restart`: it had ended without being asked to; `summary`: how it was since the last one. */
  readonly event: NoteEvent;
  /** What it is about in at most 32 characters, for the subject. */
  readonly short: string;
  readonly tone: NoteTone;
  /** What to do now. */
  readonly action: string;
  /** What happened, in a sentence or two. */
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** Of what lasts: `good` says that nothing does. */
type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

export interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The incidents that a notification tells of: none for a test and a note. */
export function incidentsOf(notification: Notification): readonly Incident[] {
  switch (notification.kind) {
    case 'incident':
      return [notification.incident];
    case 'digest':
      return notification.items.map(({ incident }) => incident);
    case 'test':
    case 'note':
      return [];
  }
}

/** The value of the header and of the JSON field `event`. */
export function eventOf(notification: Notification): NotificationEvent | NoteEvent | 'test' {
  switch (notification.kind) {
    case 'incident':
    case 'note':
      return notification.event;
    case 'digest':
    case 'test':
      return notification.kind;
  }
}

/** One notification on its way to one recipient: a mail address or the URL of a webhook. */
export interface Delivery {
  readonly notificationId: string;
  /** Id of a channel that the registry lists. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** What the peer said last. Text of a stranger, bounded. */
  readonly detail: string;
}

/**
 * `rejected` and `expired` are given up: refused by all who could take it, or not taken for days. While its incident is
 * open it is tried again all the same. `withdrawn`: nobody wants it any more, since its recipient is not configured any
 * more, or something newer about the same incidents was sent or given up.
 */
type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/**
 * What became of one attempt, as metrics count it. What was given up is counted so again at each attempt that fails.
 */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

/** Tells whether a delivery was given up. */
export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

/** Tells one delivery from another. */
export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

/** A delivery with what it carries. */
export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** What one step of the machine asks to keep, all or nothing. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** As they are after the step, for the history. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Keeps what alerting must not forget. No operation throws: what cannot be written to disk is kept in memory, and
 * written as soon as the disk takes it.
 */
export interface AlertJournal {
  /** What was stored before; null: nothing, or nothing readable. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  /** Replaces deliveries by their new version. */
  update(deliveries: readonly Delivery[]): void;
  /** What is still to be delivered, oldest first. */
  pending(): readonly OutboxEntry[];
  /** What was given up although an incident that it tells of is still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}

const MAX_FORMER = 20;

/** The cause of an incident as one that it had. */
export function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return { id, subject, severity, since: causeSince, until: lastSeen, replacedAt: now, published };
}

/** The incident with another cause, of which Alertmanager is not told before it may be. */
export function withCause(
  incident: Incident,
  cause: Cause,
  { since, now }: { readonly since: EpochMs; readonly now: EpochMs },
): Incident {
  return {
    ...incident,
    cause,
    formerCauses: withFormer(incident, [formerOf(incident, now)]),
    causeSince: since,
    published: false,
    acknowledgement: null,
  };
}

export function withFormer({ formerCauses }: Incident, more: readonly FormerCause[]): readonly FormerCause[] {
  return [...formerCauses, ...more].slice(-MAX_FORMER);
}
