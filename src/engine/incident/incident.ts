import type { Severity } from '../../core/severity.ts';
import type { Cause, Check } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

/** A period in which a fault was present, from the first round that detected the fault until the incident closed. */
export interface Occurrence {
  /** The first round that detected the fault, before the fault was confirmed. */
  readonly since: EpochMs;
  /** When the fault was confirmed. */
  readonly openedAt: EpochMs;
  /** The last round that detected the cause. */
  readonly lastSeen: EpochMs;
  /** When the incident was closed; null while it is open. */
  readonly closedAt: EpochMs | null;
  /**
   * The last check before `since` and the first check after `lastSeen` that did not detect the fault. Null if there was
   * no such check within a useful time.
   */
  readonly clear: { readonly before: EpochMs | null; readonly after: EpochMs | null };
}

/** A fault, from its confirmation until its end, even if its cause has changed in the meantime. */
export interface Incident extends Occurrence {
  /** A globally unique ID that consists of the time, the origin and a counter. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  /** The current cause. */
  readonly cause: Cause;
  /** The evidence when the incident was opened; empty if version 0.1.0 opened it. `cause` has the current evidence. */
  readonly openingEvidence: readonly string[];
  /** `policyReport` of the cause when the incident opened. Null if it had none, or if 0.1.0 opened the incident. */
  readonly openingPolicyReport: string | null;
  /**
   * Evidence that people attached, such as the verdict on a capture of FortiAuthenticator's connection. Attached
   * evidence is listed first.
   */
  readonly attached: readonly string[];
  /** Who acknowledged the incident, and when; null if nobody did. */
  readonly acknowledgement: Acknowledgement | null;
  /** Earlier causes of the incident, and causes that alternate with the current cause, oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** Earlier occurrences of the fault, oldest first. */
  readonly earlier: readonly Occurrence[];
  /** The first round that detected the current cause. */
  readonly causeSince: EpochMs;
  /** The times in the last two hours at which the cause returned. */
  readonly returns: readonly EpochMs[];
  /** Whether the target had too many outages recently, so that the incident closes later. */
  readonly flapping: boolean;
  /** The number of consecutive rounds that did not detect the fault while the incident is open. */
  readonly streak: number;
  /**
   * The result of the last round for this fault. `unverified` means that no round has checked the fault since the store
   * was restored from a backup, or since a long time without rounds. Until a round checks it, it is not reported.
   */
  readonly presence: CausePresence | 'unverified';
  /** The last notification; null if no notification was sent yet. */
  readonly lastNotified: LastNotified | null;
  /**
   * Whether a notification is waiting for the next digest. The notification is sent even if the incident ends first.
   */
  readonly awaitsDigest: boolean;
  /** Whether the current cause can be sent to Alertmanager. Set as soon as there is no maintenance or silence. */
  readonly published: boolean;
  readonly thread: Thread;
  /** The incidents that were merged into this incident, because they alternated with it. */
  readonly merged: readonly string[];
  /** The incident into which this incident was merged; null if it was not merged. */
  readonly mergedInto: string | null;
}

export interface Acknowledgement {
  readonly at: EpochMs;
  readonly by: string;
}

/** `unjudged` means that the round could not check the cause, and `hidden` that a deeper fault prevented the check. */
export type CausePresence = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause {
  readonly id: string;
  readonly subject: string;
  readonly severity: Severity;
  /** The first round that detected the cause. */
  readonly since: EpochMs;
  /** The last round that detected the cause. */
  readonly until: EpochMs;
  /** When another cause replaced this cause. */
  readonly replacedAt: EpochMs;
  /** Whether the cause can be sent to Alertmanager. */
  readonly published: boolean;
}

/** The last notification, and all causes that were sent since the incident began, with their severities. */
export interface LastNotified extends NamedCause {
  readonly at: EpochMs;
  readonly named: readonly NamedCause[];
}

export interface NamedCause {
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
}

/** The notifications about an incident, so that mail programs show them as one conversation. */
interface Thread {
  /** The number of notifications so far. */
  readonly count: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** A cause that was not yet detected often enough to open an incident. */
export interface Candidate {
  readonly cause: Cause;
  /** The first of the consecutive rounds that detected the cause. */
  readonly since: EpochMs;
  /** The number of consecutive rounds that detected the cause, including the latest round. */
  readonly streak: number;
  /** The last rounds that checked the cause, oldest first: the time if the cause was detected, otherwise null. */
  readonly looks: readonly (EpochMs | null)[];
  /** The last round before `since` that did not detect the cause, as in `Occurrence`. */
  readonly clearBefore: EpochMs | null;
}

/** A precondition that rounds cannot check. */
export interface Unjudged {
  readonly precondition: string;
  readonly since: EpochMs;
  /** The last round that could not check the precondition. */
  readonly at: EpochMs;
  /** The number of checks without a result. */
  readonly checked: number;
}

/** Holds back notifications about matching incidents until the silence ends. Null matches everything. */
export interface Silence {
  readonly id: string;
  readonly cause: string | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** The state of the incident machine, as plain data that can be stored as JSON. */
export interface IncidentState {
  readonly version: 1;
  /**
   * A random name for this store. Every notification ID contains the name, so that the IDs of two sites never collide.
   */
  readonly origin: string;
  /** A counter that is used in the IDs of incidents, digests and silences. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  /** Open incidents, and closed incidents that can be reopened or still have notifications to send. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** The times at which notifications were sent within the last hour. */
  readonly sent: readonly EpochMs[];
  /** When the current process was started; null if the last process was stopped normally. */
  readonly runningSince: EpochMs | null;
  /** When an unexpected end of the process was last reported; null if it never was. */
  readonly restartToldAt: EpochMs | null;
  /** The end of the period that the last summary covered; null if no summary was due yet. */
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

/** Reports whether two causes have the same id and subject, which means that they are the same fault. */
export function sameCause(a: Pick<Cause, 'id' | 'subject'>, b: Pick<Cause, 'id' | 'subject'>): boolean {
  return a.id === b.id && a.subject === b.subject;
}

/** Reports whether an incident is open and not only informational. */
export function isOpenFault({ status, cause }: Incident): boolean {
  return status === 'open' && cause.severity !== 'info';
}

/** Replaces incidents in the state with their new versions. */
export function withIncidents(state: IncidentState, changed: readonly Incident[]): IncidentState {
  const byId = new Map(changed.map((incident) => [incident.id, incident]));
  return { ...state, incidents: state.incidents.map((incident) => byId.get(incident.id) ?? incident) };
}

/** The maximum number of earlier occurrences that are listed individually. */
export const MAX_EARLIER = 20;

export function firstOccurrence(incident: Incident): Occurrence {
  return incident.earlier[0] ?? incident;
}

/** Reports whether an incident is open but may have ended long ago. */
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
 * Returns the duration of a fault, such as `about 51 s`. This is the mean of the shortest and the longest duration that
 * match the observations, because checks are periodic. If the time before or after the fault is unknown, the shortest
 * duration is returned, such as `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return spanText(Math.max(1, Math.round(span / 1_000)) * 1_000);
}

/** Determines when incidents are opened and closed, and how many notifications are sent. */
export interface IncidentPolicy {
  /** All checks, in the order of the path. */
  readonly checks: readonly Check[];
  /** The number of consecutive rounds that must detect a cause before its incident is opened. */
  readonly confirmations: number;
  /** The number of consecutive rounds without the cause before its incident is closed. */
  readonly recoveries: number;
  /** The time between two notifications about an incident that stays open; 0 disables reminders. */
  readonly reminder: Millis;
  /** The maximum number of notifications per hour. Further notifications wait for a digest. */
  readonly maxPerHour: number;
  /** How long an incident can be reopened after its end. */
  readonly reopenWindow: Millis;
  readonly flapping: Flapping;
  /**
   * If one round causes more notifications than this, only the most severe is sent individually. The others are sent as
   * a digest.
   */
  readonly burst: number;
  /** False if there are no recipients, so that no notification counts as sent. */
  readonly tells: boolean;
  /** The planned interval between the checks of each precondition, by id. */
  readonly intervals: Readonly<Record<string, Millis>>;
}

/** When a target counts as flapping, because it had too many outages within a given time. */
interface Flapping {
  readonly outages: number;
  readonly within: Millis;
  /** The time without the cause that is required before the incident of a flapping target is closed. */
  readonly quiet: Millis;
}

/** The current time, and the policy that applies. */
export interface Moment {
  readonly now: EpochMs;
  readonly policy: IncidentPolicy;
}

const MINUTE: Millis = 60_000;

/** The policy values that cannot be configured. */
export const INCIDENT_DEFAULTS: Pick<IncidentPolicy, 'reopenWindow' | 'flapping' | 'burst'> = {
  reopenWindow: 30 * MINUTE,
  flapping: { outages: 5, within: 120 * MINUTE, quiet: 15 * MINUTE },
  burst: 3,
};

/** The number of intervals from which a time without checks counts as a gap. */
const GAP_INTERVALS = 3;
const LONGEST_ROUND: Millis = 15_000;

/** Reports whether a precondition was not checked for so long that its state in the meantime is unknown. */
export function isGap({ intervals }: IncidentPolicy, precondition: string, time: Millis): boolean {
  return time > GAP_INTERVALS * (intervals[precondition] ?? Infinity) + LONGEST_ROUND;
}

/**
 * Returns in how many of the last rounds an intermittent fault must be detected, because it is rarely detected in
 * `confirmations` consecutive rounds. With the default of 2 confirmations, these are 5 of 10 rounds. If a round runs
 * every 30 s and 2 % of the rounds fail by chance, this is reached once in two years.
 */
export function intermittence({ confirmations }: IncidentPolicy): { readonly seen: number; readonly of: number } {
  const seen = 2 * confirmations + 1;
  return { seen, of: 2 * seen };
}

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/** The content of a notification, including all states, because it may be delivered much later. */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** A unique ID. The mail's message ID is derived from it, so that a repeated delivery can be detected. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** The state of the incident at the time `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

/** A fault that was open at the time of a notification about other faults. */
export interface OpenCause extends Pick<Cause, 'id' | 'subject' | 'severity' | 'product' | 'culprit'> {
  readonly since: EpochMs;
}

/** A notification about several incidents. */
export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** The incidents, the most severe first. */
  readonly items: readonly DigestItem[];
  /** The number of items that were left out because of the size limit. */
  readonly omitted: number;
  /** The open faults that are not in `items`. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

/** A notification that a user sends to test the delivery. */
export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** A notification about ftm-watch itself. All times in its texts are in the site's time zone. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /** `restart` reports that the process had ended unexpectedly. `summary` covers the time since the last summary. */
  readonly event: NoteEvent;
  /** The topic for the mail subject, with at most 32 characters. */
  readonly short: string;
  readonly tone: NoteTone;
  /** The recommended action. */
  readonly action: string;
  /** One or two sentences about the event. */
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** The severity of the open faults; `good` if there are no open faults. */
type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

export interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Returns the incidents in a notification. Tests and notes contain no incidents. */
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

/** Returns the event for the mail header and the JSON field `event`. */
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

/** A notification for one recipient, such as a mail address or a webhook URL. */
export interface Delivery {
  readonly notificationId: string;
  /** The ID of a channel in the registry. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** The peer's last reply, which is untrusted and limited in length. */
  readonly detail: string;
}

/**
 * The status of a delivery:
 * - `rejected`: All servers refused the notification. A retry is only made while an incident in it is open.
 * - `expired`: No server accepted the notification for days. A retry is only made while an incident in it is open.
 * - `withdrawn`: The recipient is no longer configured, or there is a newer notification about the same incidents.
 */
type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/**
 * The result of one attempt, as counted by metrics. A rejected or expired delivery is counted again for each further
 * failed attempt.
 */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

/** Returns the key that identifies a delivery. */
export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

/** A delivery and the notification to deliver. */
export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** The changes from one step of the incident machine, which are stored together. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** The incidents after the step, which are stored in the history. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Stores the data that must not be lost. No operation throws. Data that cannot be written to disk is kept in memory and
 * written as soon as possible.
 */
export interface AlertJournal {
  /** Returns the stored state; null if there is no readable state. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  /** Stores new versions of deliveries. */
  update(deliveries: readonly Delivery[]): void;
  /** Returns pending deliveries, oldest first. */
  pending(): readonly OutboxEntry[];
  /** Returns rejected and expired deliveries with an incident that is still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}

const MAX_FORMER = 20;

/** Converts the current cause of an incident to a former cause. */
export function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return { id, subject, severity, since: causeSince, until: lastSeen, replacedAt: now, published };
}

/** Replaces the cause of an incident. The new cause is not sent to Alertmanager during maintenance or a silence. */
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

/** Adds the evidence that people attached to the cause. The evidence does not affect the diagnosis. */
export function withAttached(cause: Cause, { attached }: Pick<Incident, 'attached'>): Cause {
  if (attached.length === 0) return cause;
  return { ...cause, evidence: [...attached, ...cause.evidence.filter((line) => !attached.includes(line))] };
}

export function withFormer({ formerCauses }: Incident, more: readonly FormerCause[]): readonly FormerCause[] {
  return [...formerCauses, ...more].slice(-MAX_FORMER);
}
