import type { Severity } from '../../core/severity.ts';
import type { Cause, Check } from '../model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

/** Starts with the first round that detected the fault, and ends when the incident is closed. */
export interface Occurrence {
  /** Time of the first round that detected the fault. The fault was confirmed later, at `openedAt`. */
  readonly since: EpochMs;
  readonly openedAt: EpochMs;
  /** Time of the last round that explained the fault as `cause` does. */
  readonly lastSeen: EpochMs;
  readonly closedAt: EpochMs | null;
  /**
   * Times of the last check before `since` and the first check after `lastSeen` that did not detect the fault. Null if
   * no such check was close enough to be useful.
   */
  readonly clear: { readonly before: EpochMs | null; readonly after: EpochMs | null };
}

/** A confirmed fault, until it ends. Its cause is how the last rounds explain it, and can change. */
export interface Incident extends Occurrence {
  /** Globally unique. Consists of the time, the origin and a counter. */
  readonly id: string;
  readonly status: 'open' | 'closed';
  readonly cause: Cause;
  /** Empty if version 0.1.0 opened the incident. The current evidence is in `cause`. */
  readonly openingEvidence: readonly string[];
  /** Null if the cause had no `policyReport` at that time, or if version 0.1.0 opened the incident. */
  readonly openingPolicyReport: string | null;
  /** Evidence that users attached, such as the verdict on a captured FortiAuthenticator connection. */
  readonly attached: readonly string[];
  readonly acknowledgement: Acknowledgement | null;
  /** Earlier causes, oldest first. */
  readonly formerCauses: readonly FormerCause[];
  /** Oldest first. */
  readonly earlier: readonly Occurrence[];
  /** Time of the first round that detected the current cause. */
  readonly causeSince: EpochMs;
  /** Times within the last two hours at which the cause returned. */
  readonly returns: readonly EpochMs[];
  /** True if the target has recently had too many outages. The incident is then closed later than usual. */
  readonly flapping: boolean;
  /** Number of consecutive rounds, up to now, that did not detect the fault. */
  readonly streak: number;
  /**
   * `resumed`: no round has checked the fault since a start or a reload. Nothing new is sent until a round has checked
   * it, but its alert in Alertmanager continues.
   * `unverified`: as `resumed`, after a restore from a backup or a long time without rounds. Its alert is not
   * continued, because the fault may have ended long ago.
   */
  readonly presence: CausePresence | 'resumed' | 'unverified';
  /**
   * `observed`: the subject is not in the configuration, such as a licence that an API reported. `removed`: the
   * incident was closed because its subject is no longer configured.
   */
  readonly subjectKind: 'configured' | 'observed' | 'removed';
  readonly lastNotified: LastNotified | null;
  /** The notification is sent even if the incident ends first. */
  readonly awaitsDigest: boolean;
  /** True if the current cause can be sent to Alertmanager. Set once no maintenance or silence is active. */
  readonly published: boolean;
  readonly thread: Thread;
}

export interface Acknowledgement {
  readonly at: EpochMs;
  readonly by: string;
}

/** `unjudged`: the round could not check the cause. `hidden`: a deeper fault prevented the check. */
export type CausePresence = 'seen' | 'absent' | 'unjudged' | 'hidden';

export interface FormerCause extends Pick<Cause, 'observed'> {
  readonly id: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly since: EpochMs;
  readonly until: EpochMs;
  readonly replacedAt: EpochMs;
  readonly published: boolean;
}

/** `named` contains all causes that were sent since the incident began. */
export interface LastNotified extends NamedCause {
  readonly at: EpochMs;
  readonly named: readonly NamedCause[];
}

export interface NamedCause extends Pick<Cause, 'observed'> {
  readonly cause: string;
  readonly subject: string;
  readonly severity: Severity;
}

/** Mail programs show all notifications about an incident as one conversation. */
interface Thread {
  readonly count: number;
  readonly first: string | null;
  readonly last: string | null;
}

/** A fault that has not yet been detected often enough to open an incident. */
export interface Candidate {
  readonly cause: Cause;
  /** Time of the first of the consecutive rounds that detected the fault. */
  readonly since: EpochMs;
  /** Time of the first round that explained the fault as `cause` does. */
  readonly causeSince: EpochMs;
  readonly streak: number;
  /** Last rounds that checked the fault, oldest first: the round's time if it detected the fault, otherwise null. */
  readonly looks: readonly (EpochMs | null)[];
  /** Time of the last round before `since` that did not detect the fault. */
  readonly clearBefore: EpochMs | null;
}

export interface Unjudged {
  readonly precondition: string;
  readonly since: EpochMs;
  readonly at: EpochMs;
  /** Number of checks that had no result. */
  readonly checked: number;
}

/** A null field matches all incidents. */
export interface Silence {
  readonly id: string;
  readonly cause: string | null;
  readonly subject: string | null;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly by: string;
  readonly comment: string;
}

/** Contains only plain data, so that it can be stored as JSON. */
export interface IncidentState {
  readonly version: 1;
  /** Random name of this store. Part of every notification ID, so that IDs from two sites never collide. */
  readonly origin: string;
  /** For the IDs of incidents, digests and silences. */
  readonly counter: number;
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  /** Open incidents, and closed incidents that can be reopened or still have notifications to send. */
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
  readonly maintenance: boolean;
  /** Times within the last hour at which notifications were sent that count towards `maxPerHour`. */
  readonly sent: readonly EpochMs[];
  /** Start time of the current process. Null if the last process was stopped normally. */
  readonly runningSince: EpochMs | null;
  /** Time when an unexpected termination of the process was last reported. */
  readonly restartToldAt: EpochMs | null;
  /** End of the period that the last summary covered. */
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

type FaultKey = Pick<Cause, 'precondition' | 'subject' | 'severity' | 'isEvent'>;

/**
 * A fault is what is broken, and where. Its cause is an explanation, which can change. Information and events are
 * separate from a fault of the same subject.
 */
export function sameFault(a: FaultKey, b: FaultKey): boolean {
  return (
    a.precondition === b.precondition &&
    a.subject === b.subject &&
    (a.severity === 'info') === (b.severity === 'info') &&
    a.isEvent === b.isEvent
  );
}

export function sameCause(a: Pick<Cause, 'id' | 'subject'>, b: Pick<Cause, 'id' | 'subject'>): boolean {
  return a.id === b.id && a.subject === b.subject;
}

export function isOpenFault({ status, cause }: Incident): boolean {
  return status === 'open' && cause.severity !== 'info';
}

export function withIncidents(state: IncidentState, changed: readonly Incident[]): IncidentState {
  const byId = new Map(changed.map((incident) => [incident.id, incident]));
  return { ...state, incidents: state.incidents.map((incident) => byId.get(incident.id) ?? incident) };
}

export const MAX_EARLIER = 20;

export function firstOccurrence(incident: Incident): Occurrence {
  return incident.earlier[0] ?? incident;
}

/** Fields of every closed incident. */
export const ENDED = { status: 'closed', acknowledgement: null, flapping: false } as const;

/** Such an incident may have ended long ago. */
export function isUnverified({ status, presence }: Incident): boolean {
  return status === 'open' && presence === 'unverified';
}

/** No round has checked the fault under this configuration. */
export function isUnchecked({ presence }: Pick<Incident, 'presence'>): boolean {
  return presence === 'resumed' || presence === 'unverified';
}

export function isMuted(state: Pick<IncidentState, 'maintenance' | 'silences'>, cause: Cause, now: EpochMs): boolean {
  return state.maintenance || state.silences.some((silence) => silences(silence, cause, now));
}

/** The silence has not begun yet. */
export function isPlanned({ from }: Pick<Silence, 'from'>, now: EpochMs): boolean {
  return from > now;
}

function silences(silence: Silence, cause: Cause, now: EpochMs): boolean {
  return (
    !isPlanned(silence, now) &&
    now < silence.until &&
    (silence.cause === null || silence.cause === cause.id) &&
    (silence.subject === null || silence.subject === cause.subject)
  );
}

/**
 * Returns text such as `about 51 s`. Because checks are periodic, the result is the mean of the shortest and the
 * longest duration that match the observations. If the time before or after the fault is unknown, the shortest duration
 * is returned, such as `at least 3 s`.
 */
export function lastedText({ since, lastSeen, clear: { before, after } }: Occurrence): string {
  const shortest = Math.max(0, lastSeen - since);
  if (before !== null && after !== null) return `about ${secondsText((shortest + Math.max(0, after - before)) / 2)}`;
  return shortest < 1_000 ? 'an unknown time' : `at least ${secondsText(shortest)}`;
}

function secondsText(span: Millis): string {
  return spanText(Math.max(1, Math.round(span / 1_000)) * 1_000);
}

export interface IncidentPolicy {
  readonly checks: readonly Check[];
  /** Returns true for subjects that the configuration contains. */
  readonly isConfigured: (subject: string) => boolean;
  /** Number of consecutive rounds that must detect a cause before an incident is opened. */
  readonly confirmations: number;
  /** Number of consecutive rounds without the cause before its incident is closed. */
  readonly recoveries: number;
  /** 0 disables reminders. */
  readonly reminder: Millis;
  /** Further notifications are held for a digest. */
  readonly maxPerHour: number;
  /** Time during which an incident can be reopened after its end. */
  readonly reopenWindow: Millis;
  readonly flapping: Flapping;
  /** If one round has more notifications, the most severe is sent individually, and the others become a digest. */
  readonly burst: number;
  /** False if there are no recipients. In this case, no notification is recorded as sent. */
  readonly tells: boolean;
  /** Planned check interval for each precondition, by ID. */
  readonly intervals: Readonly<Record<string, Millis>>;
}

interface Flapping {
  readonly outages: number;
  readonly within: Millis;
  /** Time without the cause before a flapping target's incident is closed. */
  readonly quiet: Millis;
}

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

const GAP_INTERVALS = 3;
const LONGEST_ROUND: Millis = 15_000;

/** During a gap, the precondition's state is unknown. */
export function isGap({ intervals }: IncidentPolicy, precondition: string, time: Millis): boolean {
  return time > GAP_INTERVALS * (intervals[precondition] ?? Infinity) + LONGEST_ROUND;
}

export type NotificationEvent = 'firing' | 'reminder' | 'changed' | 'resolved' | 'digest';

/** Includes all state that is needed for the message, because the message may be delivered much later. */
export type Notification = IncidentNotification | DigestNotification | TestNotification | NoteNotification;

export interface IncidentNotification {
  readonly kind: 'incident';
  /** The mail's message ID is derived from this ID, so that a repeated delivery can be detected. */
  readonly id: string;
  readonly at: EpochMs;
  readonly event: Exclude<NotificationEvent, 'digest'>;
  /** As of `at`. */
  readonly incident: Incident;
  readonly nextReminder: EpochMs | null;
  readonly stillOpen: readonly OpenCause[];
}

export interface OpenCause
  extends Pick<Cause, 'id' | 'subject' | 'severity' | 'kind' | 'product' | 'culprit' | 'observed'> {
  readonly since: EpochMs;
}

export interface DigestNotification {
  readonly kind: 'digest';
  readonly id: string;
  readonly at: EpochMs;
  /** Most severe first. */
  readonly items: readonly DigestItem[];
  /** Number of items that exceeded the size limit. Resolved incidents are omitted first, then the least severe. */
  readonly omitted: number;
  /** How many of the omitted items are about open incidents. */
  readonly omittedOpen: number;
  /** Open faults that are not in `items`. */
  readonly stillOpen: readonly OpenCause[];
}

export interface DigestItem {
  readonly event: Exclude<NotificationEvent, 'digest'>;
  readonly incident: Incident;
}

export interface TestNotification {
  readonly kind: 'test';
  readonly id: string;
  readonly at: EpochMs;
}

/** A notification about ftm-watch itself. All times in the texts are in the site's time zone. */
export interface NoteNotification {
  readonly kind: 'note';
  readonly id: string;
  readonly at: EpochMs;
  /** `restart`: the process had terminated unexpectedly. */
  readonly event: NoteEvent;
  /** For the mail subject. At most 32 characters. */
  readonly short: string;
  readonly tone: NoteTone;
  /** Recommended action for the recipient. */
  readonly action: string;
  readonly summary: string;
  readonly sections: readonly NoteSection[];
}

/** Highest severity of the open faults. */
type NoteTone = Exclude<Severity, 'info'> | 'good';

export type NoteEvent = 'restart' | 'summary';

interface NoteSection {
  readonly title: string;
  readonly lines: readonly string[];
}

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

/** The value used in the mail header and in the JSON field `event`. */
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

/** Delivery to one recipient, such as a mail address or a webhook URL. */
export interface Delivery {
  readonly notificationId: string;
  /** ID in the channel registry. */
  readonly channel: string;
  readonly recipient: string;
  readonly status: DeliveryStatus;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  readonly firstFailedAt: EpochMs | null;
  readonly nextAttemptAt: EpochMs;
  readonly finishedAt: EpochMs | null;
  /** Last reply from the mail server or webhook. Untrusted and limited in length. */
  readonly detail: string;
}

/**
 * `rejected` (refused by all servers) and `expired` (not accepted by any server for days) are retried only while one of
 * the notification's incidents is open. `withdrawn`: the recipient is no longer configured, or there is a newer
 * notification about the same incidents.
 */
type DeliveryStatus = 'pending' | 'sent' | 'rejected' | 'expired' | 'withdrawn';

/** Counted in the metrics. A rejected or expired delivery is counted again after each further failed attempt. */
export type DeliveryResult = 'sent' | 'failed' | 'rejected' | 'expired';

export function isGivenUp({ status }: Pick<Delivery, 'status'>): boolean {
  return status === 'rejected' || status === 'expired';
}

export function deliveryKey({ notificationId, channel, recipient }: Delivery): string {
  return `${notificationId} ${channel} ${recipient}`;
}

export interface OutboxEntry {
  readonly delivery: Delivery;
  readonly notification: Notification;
}

/** All changes from a single step of the incident machine. They are stored together. */
export interface JournalEntry {
  readonly state: IncidentState;
  /** The incidents as they are after the step. */
  readonly incidents: readonly Incident[];
  readonly outboxEntries: readonly OutboxEntry[];
}

/**
 * Stores incidents and notifications that must not be lost. No operation throws an error. Data that cannot be written
 * to disk is kept in memory and written as soon as possible.
 */
export interface AlertJournal {
  /** Null if there is no readable state. */
  savedState(): IncidentState | null;
  record(entry: JournalEntry): void;
  update(deliveries: readonly Delivery[]): void;
  /** Oldest first. */
  pending(): readonly OutboxEntry[];
  /** Rejected and expired deliveries for incidents that are still open, oldest first. */
  givenUp(): readonly OutboxEntry[];
}

export function observedOf({ observed }: Pick<Cause, 'observed'>): Pick<Cause, 'observed'> {
  return observed === undefined ? {} : { observed };
}

const MAX_FORMER = 20;

function formerOf({ cause, causeSince, lastSeen, published }: Incident, now: EpochMs): FormerCause {
  const { id, subject, severity } = cause;
  return {
    id,
    subject,
    severity,
    ...observedOf(cause),
    since: causeSince,
    until: lastSeen,
    replacedAt: now,
    published,
  };
}

/** The new cause is not sent to Alertmanager during maintenance or a silence. */
export function withCause(
  incident: Incident,
  cause: Cause,
  { since, now }: { readonly since: EpochMs; readonly now: EpochMs },
): Incident {
  return {
    ...incident,
    cause: withAttached(cause, incident),
    formerCauses: [...incident.formerCauses, formerOf(incident, now)].slice(-MAX_FORMER),
    causeSince: since,
    published: false,
    acknowledgement: null,
  };
}

/** Attached evidence comes first, but does not affect the diagnosis. */
export function withAttached(cause: Cause, { attached }: Pick<Incident, 'attached'>): Cause {
  if (attached.length === 0) return cause;
  return { ...cause, evidence: [...attached, ...cause.evidence.filter((line) => !attached.includes(line))] };
}
