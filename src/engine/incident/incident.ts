import type { Severity } from '../../core/severity.ts';
import type { Cause, Check } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

/** One period in which a fault was present, from the first round that showed it to the all-clear. */
export interface Occurrence {
  /** The first round that showed the fault, before it was confirmed. */
  readonly since: EpochMs;
  /** When it was confirmed. */
  readonly openedAt: EpochMs;
  /** The last round that showed the cause. */
  readonly lastSeen: EpochMs;
  /** When the all-clear was given; null while open. */
  readonly closedAt: EpochMs | null;
  /**
   * The last check before `since` and the first check after `lastSeen` that did not find the fault. Null if there was
   * none, or if it was too far away to narrow down the start or the end.
   */
  readonly clear: { readonly before: EpochMs | null; readonly after: EpochMs | null };
}

/** One fault, from the round that confirmed it to its end, even if its cause was reinterpreted in between. */
export interface Incident extends Occurrence {
  /** Globally unique. Consists of the time, the origin and a counter. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  /** The current cause. */
  readonly cause: Cause;
  /** The evidence when the incident opened; `cause` has the current evidence. Empty if 0.1.0 opened the incident. */
  readonly openingEvidence: readonly string[];
  /** `policyReport` of the cause when the incident opened. Null if it had none, or if 0.1.0 opened the incident. */
  readonly openingPolicyReport: string | null;
  /**
   * Evidence that people added, such as the verdict on a capture of FortiAuthenticator's own connection. Listed first.
   */
  readonly attached: readonly string[];
  /** Who acknowledged the incident; null if nobody did. */
  readonly acknowledgement: Acknowledgement | null;
  /** Earlier causes of the incident and causes that it alternates with, oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** Earlier occurrences of the same fault, each up to its all-clear, oldest first. */
  readonly earlier: readonly Occurrence[];
  /** The first round that showed the current cause. */
  readonly causeSince: EpochMs;
  /** Times in the last two hours at which the cause returned. */
  readonly returns: readonly EpochMs[];
  /** The target had too many outages recently, so the incident closes only after a longer time without the cause. */
  readonly flapping: boolean;
  /** Consecutive rounds that did not show the fault while the incident is open. */
  readonly streak: number;
  /**
   * Result of the last round for this fault. `unverified`: no round has judged it since the store was restored from a
   * copy, or since a long time without rounds. It is not reported until a round has judged it.
   */
  readonly presence: CausePresence | 'unverified';
  /** The last notification; null if none was sent yet. */
  readonly lastNotified: LastNotified | null;
  /** A notification is waiting for the digest. It is sent even if the incident has ended by then. */
  readonly awaitsDigest: boolean;
  /**
   * Whether Alertmanager may be informed about the current cause. Set at the first moment without maintenance or a
   * silence.
   */
  readonly published: boolean;
  readonly thread: Thread;
  /** Incidents that turned out to alternate with this one and were merged into it. */
  readonly merged: readonly string[];
  /** The incident that this one was merged into; null if it was not merged. */
  readonly mergedInto: string | null;
}

export interface Acknowledgement {
  readonly at: EpochMs;
  readonly by: string;
}

/** `unjudged`: the round could not judge it; `hidden`: a deeper fault prevents it from being judged. */
export type CausePresence = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause {
  readonly id: string;
  readonly subject: string;
  readonly severity: Severity;
  /** The first round that showed it. */
  readonly since: EpochMs;
  /** The last round that showed it. */
  readonly until: EpochMs;
  /** When another cause replaced this one. */
  readonly replacedAt: EpochMs;
  /** Whether Alertmanager may be informed about it. */
  readonly published: boolean;
}

/** The last notification and every cause sent since the incident began, each with the severity that was sent. */
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

/** A cause that was seen, but not often enough yet to open an incident. */
export interface Candidate {
  readonly cause: Cause;
  /** The first of the consecutive rounds that showed it. */
  readonly since: EpochMs;
  /** Number of consecutive rounds that showed it, including the latest. */
  readonly streak: number;
  /** The last rounds that could judge it, oldest first: the time it was seen, or null if it was not. */
  readonly looks: readonly (EpochMs | null)[];
  /** The last round before `since` that did not show it, as in `Occurrence`. */
  readonly clearBefore: EpochMs | null;
}

/** A precondition that rounds cannot judge. */
export interface Unjudged {
  readonly precondition: string;
  readonly since: EpochMs;
  /** The last round that could not judge it. */
  readonly at: EpochMs;
  /** Number of checks since then. */
  readonly checked: number;
}

/** Holds back notifications about matching incidents until it ends. Null matches everything. */
export interface Silence {
  readonly id: string;
  readonly cause: string | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** The whole state of the incident machine, as plain data that can be stored as JSON. */
export interface IncidentState {
  readonly version: 1;
  /** A random name of this store, used in the ID of every notification so that IDs of two sites never collide. */
  readonly origin: string;
  /** Counts incidents, digests and silences, and is used for their IDs. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  /** Open incidents, and closed ones that can reopen or still have notifications to send. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** Times of notifications sent within the last hour. */
  readonly sent: readonly EpochMs[];
  /** Start of the current process; null if the last process ended as requested. */
  readonly runningSince: EpochMs | null;
  /** When an unexpected end of the process was last reported; null if never. */
  readonly restartToldAt: EpochMs | null;
  /** End of the period that the last summary covered; null if none was due yet. */
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

/** Reports whether two causes have the same key and are therefore the same fault. */
export function sameCause(a: Pick<Cause, 'id' | 'subject'>, b: Pick<Cause, 'id' | 'subject'>): boolean {
  return a.id === b.id && a.subject === b.subject;
}

/** Reports whether a fault is currently open and more than informational. */
export function isOpenFault({ status, cause }: Incident): boolean {
  return status === 'open' && cause.severity !== 'info';
}

/** Returns the state with new versions of these incidents. */
export function withIncidents(state: IncidentState, changed: readonly Incident[]): IncidentState {
  const byId = new Map(changed.map((incident) => [incident.id, incident]));
  return { ...state, incidents: state.incidents.map((incident) => byId.get(incident.id) ?? incident) };
}

/** Maximum number of earlier occurrences that are listed individually. */
export const MAX_EARLIER = 20;

export function firstOccurrence(incident: Incident): Occurrence {
  return incident.earlier[0] ?? incident;
}

/** Reports whether an incident counts as open but may have ended long ago. */
export function isUnverified({ status, presence }: Incident): boolean {
  return status === 'open' && presence === 'unverified';
}

/** Reports whether notifications about a cause are being held back. */
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
 * Returns the duration of a fault in words: `about 51 s`. Checks are periodic, so this is the mean of the shortest and
 * the longest duration that match the observations. If the time before or after the fault is unknown, only the shortest
 * duration is returned: `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return spanText(Math.max(1, Math.round(span / 1_000)) * 1_000);
}

/**
 * Controls when incidents open and close, and how many notifications are sent. Counts are rounds, times are
 * milliseconds.
 */
export interface IncidentPolicy {
  /** All checks, in the order of the path. */
  readonly checks: readonly Check[];
  /** Consecutive rounds that must show a cause before its incident opens. */
  readonly confirmations: number;
  /** Consecutive rounds without the cause before its incident closes. */
  readonly recoveries: number;
  /** Time between two notifications of an incident that stays open; 0 disables reminders. */
  readonly reminder: Millis;
  /** Maximum number of notifications per hour. Further notifications wait for a digest. */
  readonly maxPerHour: number;
  /** How long after its end an incident can be reopened. */
  readonly reopenWindow: Millis;
  readonly flapping: Flapping;
  /**
   * If one round causes more notifications than this, the most severe is sent individually and the rest as a digest.
   */
  readonly burst: number;
  /** False if there are no recipients, so that nothing counts as sent. */
  readonly tells: boolean;
  /** Planned interval between checks of each precondition, by id. */
  readonly intervals: Readonly<Record<string, Millis>>;
}

/** A target with more outages than this within this time is flapping. Its incident closes only after a quiet time. */
interface Flapping {
  readonly outages: number;
  readonly within: Millis;
  /** Required time without the cause. */
  readonly quiet: Millis;
}

/** The current time and the policy that applies. */
export interface Moment {
  readonly now: EpochMs;
  readonly policy: IncidentPolicy;
}

const MINUTE: Millis = 60_000;

/** Policy values that cannot be configured. */
export const INCIDENT_DEFAULTS: Pick<IncidentPolicy, 'reopenWindow' | 'flapping' | 'burst'> = {
  reopenWindow: 30 * MINUTE,
  flapping: { outages: 5, within: 120 * MINUTE, quiet: 15 * MINUTE },
  burst: 3,
};

/** A longer gap is more than one skipped check or a slow round. */
const GAP_INTERVALS = 3;
const LONGEST_ROUND: Millis = 15_000;

/** Reports whether a precondition was not checked for so long that the state in between is unknown. */
export function isGap({ intervals }: IncidentPolicy, precondition: string, time: Millis): boolean {
  return time > GAP_INTERVALS * (intervals[precondition] ?? Infinity) + LONGEST_ROUND;
}

/**
 * Returns how often an intermittent fault must be `seen` in the last rounds, because it is seldom seen in
 * `confirmations` consecutive rounds. The numbers are low enough for a fault in every second round and too high for
 * accidental failures. With the default of 2 confirmations it is 5 of 10: rounds of which 2 % fail by accident reach
 * that once in two years, at one round every 30 s.
 */
export function intermittence({ confirmations }: IncidentPolicy): { readonly seen: number; readonly of: number } {
  const seen = 2 * confirmations + 1;
  return { seen, of: 2 * seen };
}

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/**
 * The content of a notification. It is self-contained, because it may be delivered long after the state has changed.
 */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** Unique. The message ID of the mail is derived from it, so that a repeated delivery can be recognized. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** The incident as it was at `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

/** A fault that was open when a notification about other faults was created. */
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  readonly since: EpochMs;
}

/** Several incidents in one notification. */
export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** Most severe first. */
  readonly items: readonly DigestItem[];
  /** Number of items that did not fit. */
  readonly omitted: number;
  /** Open faults that are not among the items. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

/** Sent manually to test delivery. */
export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** A notification about ftm-watch itself. Its texts are created with it, in the site's time zone. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /** `restart`: the process had ended unexpectedly; `summary`: the state since the last summary. */
  readonly event: NoteEvent;
  /** Topic for the subject, at most 32 characters. */
  readonly short: string;
  readonly tone: NoteTone;
  /** Recommended action. */
  readonly action: string;
  /** What happened, in one or two sentences. */
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** Severity of the open faults; `good` if there are none. */
type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

export interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Returns the incidents in a notification. A test or a note has none. */
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

/** Returns the value of the header and of the JSON field `event`. */
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

/** One notification for one recipient: a mail address or a webhook URL. */
export interface Delivery {
  readonly notificationId: string;
  /** ID of a channel in the registry. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** The peer's last reply. Untrusted, limited in length. */
  readonly detail: string;
}

/**
 * `rejected` (refused by all servers that could accept it) and `expired` (not accepted for days) are given up, but are
 * retried while the incident is open. `withdrawn`: no longer needed, because its recipient is not configured any more,
 * or because something newer about the same incidents was sent or given up.
 */
type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/**
 * Result of one attempt, as counted by metrics. A delivery that was given up is counted again for each further failed
 * attempt.
 */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

/** Returns the key that identifies a delivery. */
export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

/** A delivery and its notification. */
export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** The changes that one step of the machine stores, all or nothing. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** The incidents after the step, for the history. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Stores the data that alerting must not lose. No operation throws. Data that cannot be written to disk is kept in
 * memory and written as soon as the disk accepts it.
 */
export interface AlertJournal {
  /** Returns the stored state; null if there is none or it is unreadable. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  /** Replaces deliveries with their new versions. */
  update(deliveries: readonly Delivery[]): void;
  /** Returns pending deliveries, oldest first. */
  pending(): readonly OutboxEntry[];
  /** Returns deliveries that were given up although one of their incidents is still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}

const MAX_FORMER = 20;

/** Returns the current cause of an incident as a former cause. */
export function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return { id, subject, severity, since: causeSince, until: lastSeen, replacedAt: now, published };
}

/** Replaces the cause of an incident. Alertmanager is not informed about the new cause until that is allowed. */
export function withCause(
  incident: Incident,
  cause: Cause,
  { since, now }: { readonly since: EpochMs; readonly now: EpochMs },
): Incident {
  return {
    ...incident,
    cause: withAttached(cause, incident),
    formerCauses: withFormer(incident, [formerOf(incident, now)]),
    causeSince: since,
    published: false,
    acknowledgement: null,
  };
}

/**
 * Adds evidence from people to the cause. The evidence is reported with the cause but never changes which cause it is.
 */
export function withAttached(cause: Cause, { attached }: Pick<Incident, 'attached'>): Cause {
  if (attached.length === 0) return cause;
  return { ...cause, evidence: [...attached, ...cause.evidence.filter((line) => !attached.includes(line))] };
}

export function withFormer({ formerCauses }: Incident, more: readonly FormerCause[]): readonly FormerCause[] {
  return [...formerCauses, ...more].slice(-MAX_FORMER);
}
