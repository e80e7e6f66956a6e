import type { Severity } from '../../core/severity.ts';
import type { Cause, Check } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

/**
 * A period during which a fault was present. The period starts with the first round that detected the fault and ends
 * when the incident is closed.
 */
export interface Occurrence {
  /** Time of the first round that detected the fault. The fault was confirmed later. */
  readonly since: EpochMs;
  /** Time when the fault was confirmed. */
  readonly openedAt: EpochMs;
  /** Time of the last round that detected the cause. */
  readonly lastSeen: EpochMs;
  /** Time when the incident was closed. Null while the incident is open. */
  readonly closedAt: EpochMs | null;
  /**
   * Times of the last check without the fault before `since`, and of the first check without the fault after
   * `lastSeen`. Null if there was no such check within a useful time.
   */
  readonly clear: { readonly before: EpochMs | null; readonly after: EpochMs | null };
}

/** A confirmed fault, until it ends. The incident continues even if the cause changes. */
export interface Incident extends Occurrence {
  /** Globally unique ID, which consists of the time, the origin and a counter. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  /** The current cause of the fault. */
  readonly cause: Cause;
  /**
   * Evidence from the time when the incident was opened. Empty if version 0.1.0 opened the incident. The current
   * evidence is in `cause`.
   */
  readonly openingEvidence: readonly string[];
  /**
   * The cause's `policyReport` at the time when the incident was opened. Null if there was no report, or if version
   * 0.1.0 opened the incident.
   */
  readonly openingPolicyReport: string | null;
  /**
   * Evidence that users attached, such as the verdict on a captured FortiAuthenticator connection. Attached evidence is
   * listed before other evidence.
   */
  readonly attached: readonly string[];
  /** User who acknowledged the incident, and the time. Null if the incident was not acknowledged. */
  readonly acknowledgement: Acknowledgement | null;
  /** Earlier causes of the incident, and causes that alternate with the current cause, oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** Earlier occurrences of the fault, oldest first. */
  readonly earlier: readonly Occurrence[];
  /** Time of the first round that detected the current cause. */
  readonly causeSince: EpochMs;
  /** Times within the last two hours at which the cause returned. */
  readonly returns: readonly EpochMs[];
  /** True if the target recently had too many outages. The incident is then closed later than usual. */
  readonly flapping: boolean;
  /** Number of consecutive rounds, up to now, that did not detect the fault of the open incident. */
  readonly streak: number;
  /**
   * Result of the last round for this fault. `unverified` means that no round has checked the fault since a restore
   * from a backup or a long time without rounds. An unverified fault is not reported until a round has checked it.
   */
  readonly presence: CausePresence | 'unverified';
  /** Last notification about the incident. Null if none was sent yet. */
  readonly lastNotified: LastNotified | null;
  /**
   * True if a notification is waiting for the next digest. The notification is sent even if the incident ends first.
   */
  readonly awaitsDigest: boolean;
  /** True if the current cause can be sent to Alertmanager. Set as soon as no maintenance or silence is active. */
  readonly published: boolean;
  readonly thread: Thread;
  /** IDs of incidents that alternated with this incident and were merged into it. */
  readonly merged: readonly string[];
  /** ID of the incident into which this incident was merged. Null if this incident was not merged. */
  readonly mergedInto: string | null;
}

export interface Acknowledgement {
  readonly at: EpochMs;
  readonly by: string;
}

/**
 * Result of a round for a cause. `unjudged`: the round could not check the cause. `hidden`: a deeper fault prevented
 * the check.
 */
export type CausePresence = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause {
  readonly id: string;
  readonly subject: string;
  readonly severity: Severity;
  /** Time of the first round that detected the cause. */
  readonly since: EpochMs;
  /** Time of the last round that detected the cause. */
  readonly until: EpochMs;
  /** Time when another cause replaced this cause. */
  readonly replacedAt: EpochMs;
  /** True if the cause can be sent to Alertmanager. */
  readonly published: boolean;
}

/**
 * Last notification about an incident. Includes all causes that were sent since the incident began, with their
 * severities.
 */
export interface LastNotified extends NamedCause {
  readonly at: EpochMs;
  readonly named: readonly NamedCause[];
}

export interface NamedCause {
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
}

/** Data for mail threading. Mail programs show all notifications about an incident as one conversation. */
interface Thread {
  /** Number of notifications that were sent so far. */
  readonly count: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** A cause that has not been detected often enough to open an incident. */
export interface Candidate {
  readonly cause: Cause;
  /** Time of the first of the consecutive rounds that detected the cause. */
  readonly since: EpochMs;
  /** Number of consecutive rounds that detected the cause, including the latest round. */
  readonly streak: number;
  /**
   * Results of the last rounds that checked the cause, oldest first. A result is the round's time if the cause was
   * detected, otherwise null.
   */
  readonly looks: readonly (EpochMs | null)[];
  /** Time of the last round before `since` that did not detect the cause (see `clear` in `Occurrence`). */
  readonly clearBefore: EpochMs | null;
}

/** A precondition that rounds currently cannot check. */
export interface Unjudged {
  readonly precondition: string;
  readonly since: EpochMs;
  /** Time of the last round that could not check the precondition. */
  readonly at: EpochMs;
  /** Number of checks that had no result. */
  readonly checked: number;
}

/**
 * A silence, which holds back notifications about matching incidents until it ends. A null field matches all incidents.
 */
export interface Silence {
  readonly id: string;
  readonly cause: string | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** State of the incident machine. Contains only plain data, so that it can be stored as JSON. */
export interface IncidentState {
  readonly version: 1;
  /** Random name of this store. The name is part of every notification ID, so that IDs from two sites never collide. */
  readonly origin: string;
  /** Counter for the IDs of incidents, digests and silences. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  /** Open incidents, and closed incidents that can be reopened or still have notifications to send. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** Times at which notifications were sent, within the last hour. */
  readonly sent: readonly EpochMs[];
  /** Start time of the current process. Null if the last process was stopped normally. */
  readonly runningSince: EpochMs | null;
  /** Time when an unexpected end of the process was last reported. Null if this never happened. */
  readonly restartToldAt: EpochMs | null;
  /** End of the period that the last summary covered. Null if no summary was due yet. */
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

/**
 * Reports whether two causes describe the same fault. Two causes are the same fault if their IDs and subjects are
 * equal.
 */
export function sameCause(a: Pick<Cause, 'id' | 'subject'>, b: Pick<Cause, 'id' | 'subject'>): boolean {
  return a.id === b.id && a.subject === b.subject;
}

/** Reports whether an incident is open and more severe than `info`. */
export function isOpenFault({ status, cause }: Incident): boolean {
  return status === 'open' && cause.severity !== 'info';
}

/** Returns the state after replacing changed incidents. */
export function withIncidents(state: IncidentState, changed: readonly Incident[]): IncidentState {
  const byId = new Map(changed.map((incident) => [incident.id, incident]));
  return { ...state, incidents: state.incidents.map((incident) => byId.get(incident.id) ?? incident) };
}

/** Maximum number of earlier occurrences that are listed individually. */
export const MAX_EARLIER = 20;

export function firstOccurrence(incident: Incident): Occurrence {
  return incident.earlier[0] ?? incident;
}

/**
 * Reports whether an open incident may have ended long ago, because no round has checked it since a restore from a
 * backup or a long pause.
 */
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
 * Returns a fault's duration as text, such as `about 51 s`. Because checks are periodic, the duration is the mean of
 * the shortest and the longest duration that match the observations. If the time before or after the fault is unknown,
 * the shortest duration is returned, such as `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return spanText(Math.max(1, Math.round(span / 1_000)) * 1_000);
}

/** Settings that control when incidents are opened and closed, and how many notifications are sent. */
export interface IncidentPolicy {
  /** All checks, in the order of the network path. */
  readonly checks: readonly Check[];
  /** Number of consecutive rounds that must detect a cause before an incident is opened. */
  readonly confirmations: number;
  /** Number of consecutive rounds without the cause that are required to close its incident. */
  readonly recoveries: number;
  /** Interval between reminders about an open incident. 0 disables reminders. */
  readonly reminder: Millis;
  /** Maximum number of notifications per hour. Further notifications wait for a digest. */
  readonly maxPerHour: number;
  /** Time after its end during which an incident can be reopened. */
  readonly reopenWindow: Millis;
  readonly flapping: Flapping;
  /**
   * Maximum number of notifications that one round can send individually. If there are more, only the most severe one
   * is sent individually, and the others are sent as a digest.
   */
  readonly burst: number;
  /** False if there are no recipients. In this case, no notification is recorded as sent. */
  readonly tells: boolean;
  /** Planned check interval for each precondition, by ID. */
  readonly intervals: Readonly<Record<string, Millis>>;
}

/** Limits above which a target counts as flapping. */
interface Flapping {
  readonly outages: number;
  readonly within: Millis;
  /** Time without the cause that is required before a flapping target's incident is closed. */
  readonly quiet: Millis;
}

/** The current time and the active incident policy. */
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

/** A time without checks counts as a gap from this number of check intervals. */
const GAP_INTERVALS = 3;
const LONGEST_ROUND: Millis = 15_000;

/** Reports whether the time between two checks is so long that the precondition's state in between is unknown. */
export function isGap({ intervals }: IncidentPolicy, precondition: string, time: Millis): boolean {
  return time > GAP_INTERVALS * (intervals[precondition] ?? Infinity) + LONGEST_ROUND;
}

/**
 * Returns the number of recent rounds that must detect an intermittent fault to confirm it. Such a fault is rarely
 * detected in `confirmations` consecutive rounds. With the default of 2 confirmations, 5 of the last 10 rounds must
 * detect the fault. If a round runs every 30 s and 2 % of the rounds fail by chance, a false confirmation occurs once
 * in two years.
 */
export function intermittence({ confirmations }: IncidentPolicy): { readonly seen: number; readonly of: number } {
  const seen = 2 * confirmations + 1;
  return { seen, of: 2 * seen };
}

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/**
 * Content of a notification. Includes all state that is needed for the message, because the message may be delivered
 * much later.
 */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** Unique ID. The mail's message ID is derived from this ID, so that a repeated delivery can be detected. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** The incident, as it was at the time `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

/** A fault that was open when a notification about other faults was created. */
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  readonly since: EpochMs;
}

/** A notification about several incidents. */
export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** Incidents in the digest, most severe first. */
  readonly items: readonly DigestItem[];
  /** Number of items that were omitted because of the size limit. */
  readonly omitted: number;
  /** Open faults that are not listed in `items`. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

/** A test notification that a user requested to check the delivery. */
export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** A notification about ftm-watch itself. All times in its text are in the site's time zone. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /**
   * Reason for the notification. `restart`: the process had ended unexpectedly. `summary`: the message covers the time
   * since the last summary.
   */
  readonly event: NoteEvent;
  /** Topic for the mail subject, in at most 32 characters. */
  readonly short: string;
  readonly tone: NoteTone;
  /** Recommended action for the recipient. */
  readonly action: string;
  /** One or two sentences about the event. */
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** Highest severity of the open faults. `good` if there are no open faults. */
type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

export interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Returns a notification's incidents. Test notifications and notes have none. */
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

/** Returns the event name for the mail header and for the JSON field `event`. */
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

/** Delivery of a notification to one recipient, such as a mail address or a webhook URL. */
export interface Delivery {
  readonly notificationId: string;
  /** ID of a channel in the channel registry. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** Last reply from the mail server or webhook. The text is untrusted and limited in length. */
  readonly detail: string;
}

/**
 * Status of a delivery:
 * - `rejected`: All servers refused the notification. The delivery is retried only while one of its incidents is open.
 * - `expired`: No server accepted the notification for days. The delivery is retried only while one of its incidents is
 *   open.
 * - `withdrawn`: The recipient is no longer configured, or there is a newer notification about the same incidents.
 */
type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/**
 * Result of a delivery attempt, as counted by metrics. A rejected or expired delivery is counted again for each further
 * failed attempt.
 */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

/** Returns the key that identifies a delivery in the store. */
export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

/** A delivery together with its notification. */
export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** Changes from a single step of the incident machine. All changes from a step are stored together. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** Incidents to store in the history, as they are after the step. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Stores incidents and notifications that must not be lost. No operation throws an error. Data that cannot be written
 * to disk is kept in memory and written as soon as possible.
 */
export interface AlertJournal {
  /** Returns the stored incident state. Returns null if there is no readable state. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  /** Stores new versions of deliveries. */
  update(deliveries: readonly Delivery[]): void;
  /** Returns all pending deliveries, oldest first. */
  pending(): readonly OutboxEntry[];
  /** Returns rejected and expired deliveries for incidents that are still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}

const MAX_FORMER = 20;

/** Converts an incident's current cause to a former cause. */
export function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return { id, subject, severity, since: causeSince, until: lastSeen, replacedAt: now, published };
}

/** Replaces an incident's cause. The new cause is not sent to Alertmanager during maintenance or a silence. */
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

/** Adds user-attached evidence to the cause. Attached evidence does not affect the diagnosis. */
export function withAttached(cause: Cause, { attached }: Pick<Incident, 'attached'>): Cause {
  if (attached.length === 0) return cause;
  return { ...cause, evidence: [...attached, ...cause.evidence.filter((line) => !attached.includes(line))] };
}

export function withFormer({ formerCauses }: Incident, more: readonly FormerCause[]): readonly FormerCause[] {
  return [...formerCauses, ...more].slice(-MAX_FORMER);
}
