import type * as z from 'zod';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { DeepReadonly } from '../../core/deep-readonly.ts';
import { spanText } from '../../core/time-text.ts';
import type { Cause, Check } from '../model.ts';
import type {
  acknowledgementSchema,
  candidateSchema,
  deliverySchema,
  digestItemSchema,
  eventSchema,
  incidentSchema,
  lastNotifiedSchema,
  namedCauseSchema,
  notificationSchema,
  occurrenceSchema,
  openCauseSchema,
  PRESENCES,
  silenceSchema,
  stateSchema,
  unjudgedSchema,
} from './schema.ts';

/** Starts with the first round that detected the fault, and ends when the incident is closed. */
export type Occurrence = DeepReadonly<z.infer<typeof occurrenceSchema>>;

export type Acknowledgement = Readonly<z.infer<typeof acknowledgementSchema>>;

export type NamedCause = Readonly<z.infer<typeof namedCauseSchema>>;

/** `named` contains all causes that were sent since the incident began. */
export type LastNotified = DeepReadonly<z.infer<typeof lastNotifiedSchema>>;

export type CausePresence = (typeof PRESENCES)[number];

/** A confirmed fault, until it ends. Its cause is how the last rounds explain it, and can change. */
export type Incident = DeepReadonly<z.infer<typeof incidentSchema>>;

export type FormerCause = Incident['formerCauses'][number];

/** A fault that has not yet been detected often enough to open an incident. */
export type Candidate = DeepReadonly<z.infer<typeof candidateSchema>>;

export type Unjudged = Readonly<z.infer<typeof unjudgedSchema>>;

/** A null field matches all incidents. */
export type Silence = Readonly<z.infer<typeof silenceSchema>>;

interface Items {
  readonly candidates: readonly Candidate[];
  readonly unjudged: readonly Unjudged[];
  readonly incidents: readonly Incident[];
  readonly silences: readonly Silence[];
}

export type IncidentState = Omit<DeepReadonly<z.infer<typeof stateSchema>>, keyof Items> & Items;

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
  return state.maintenance || activeSilence(state.silences, cause, now) !== undefined;
}

/** Of the silences that apply, the one that ends last. */
export function activeSilence(all: readonly Silence[], cause: Cause, now: EpochMs): Silence | undefined {
  return all.filter((silence) => silences(silence, cause, now)).toSorted((a, b) => b.until - a.until)[0];
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

export type NotificationEvent = z.infer<typeof eventSchema> | 'digest';

export type OpenCause = DeepReadonly<z.infer<typeof openCauseSchema>>;

export type DigestItem = DeepReadonly<z.infer<typeof digestItemSchema>>;

/** Includes all state that is needed for the message, because the message may be delivered much later. */
export type Notification = DeepReadonly<z.infer<typeof notificationSchema>>;

export type IncidentNotification = Extract<Notification, { readonly kind: 'incident' }>;

export type DigestNotification = Extract<Notification, { readonly kind: 'digest' }>;

export type TestNotification = Extract<Notification, { readonly kind: 'test' }>;

export type NoteNotification = Extract<Notification, { readonly kind: 'note' }>;

export type NoteEvent = NoteNotification['event'];

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
export type Delivery = Readonly<z.infer<typeof deliverySchema>>;

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
  /** How often a delivery was added or updated. */
  deliveryChanges(): number;
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
