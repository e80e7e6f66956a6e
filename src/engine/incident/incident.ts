import * as z from 'zod';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { DeepReadonly } from '../../core/deep-readonly.ts';
import { spanText } from '../../core/time-text.ts';
import { type Cause, causeSchema, type Check, severitySchema } from '../model.ts';

// The schemas are also those of the stored data. Fields with a default are missing in data from earlier versions, in
// which an incident had different names for some fields. IDs of causes and preconditions are not checked here.

const instant: z.ZodType<EpochMs> = z.number();

const occurrenceSchema = z.object({
  /** Time of the first round that detected the fault. The fault was confirmed later, at `openedAt`. */
  since: instant,
  openedAt: instant,
  /** Time of the last round that explained the fault as `cause` does. */
  lastSeen: instant,
  closedAt: instant.nullable(),
  /**
   * Times of the last check before `since` and the first check after `lastSeen` that did not detect the fault. Null if
   * no such check was close enough to be useful.
   */
  clear: z.object({ before: instant.nullable(), after: instant.nullable() }).default({ before: null, after: null }),
});

/** Starts with the first round that detected the fault, and ends when the incident is closed. */
export type Occurrence = DeepReadonly<z.infer<typeof occurrenceSchema>>;

const acknowledgementSchema = z.object({ at: instant, by: z.string() });

export type Acknowledgement = Readonly<z.infer<typeof acknowledgementSchema>>;

const observed = causeSchema.in.shape.observed;

const namedCauseSchema = z.object({ cause: z.string(), subject: z.string(), severity: severitySchema, observed });

export type NamedCause = Readonly<z.infer<typeof namedCauseSchema>>;

const lastNotifiedSchema = namedCauseSchema
  .extend({ at: instant, named: z.array(namedCauseSchema).optional() })
  .transform(({ named, ...last }) => ({
    ...last,
    named: named ?? [{ cause: last.cause, subject: last.subject, severity: last.severity }],
  }));

/** `named` contains all causes that were sent since the incident began. */
export type LastNotified = DeepReadonly<z.infer<typeof lastNotifiedSchema>>;

const formerCauseSchema = z.object({
  id: z.string(),
  subject: z.string(),
  severity: severitySchema,
  observed,
  since: instant.exactOptional(),
  until: instant,
  replacedAt: instant.exactOptional(),
  published: z.boolean().exactOptional(),
});

export type FormerCause = Readonly<Required<Omit<z.infer<typeof formerCauseSchema>, 'observed'>>> &
  Pick<Cause, 'observed'>;

/** `unjudged`: the round could not check the cause. `hidden`: a deeper fault prevented the check. */
const PRESENCES = ['seen', 'absent', 'unjudged', 'hidden'] as const;

export type CausePresence = (typeof PRESENCES)[number];

const incidentFields = occurrenceSchema.extend({
  /** Globally unique. Consists of the time, the origin and a counter. */
  id: z.string(),
  status: z.literal(['open', 'closed']),
  cause: causeSchema,
  /** Empty if version 0.1.0 opened the incident. The current evidence is in `cause`. */
  openingEvidence: z.array(z.string()).default([]),
  /** Null if the cause had no `policyReport` at that time, or if version 0.1.0 opened the incident. */
  openingPolicyReport: z.string().nullable().default(null),
  /** Evidence that users attached, such as the verdict on a captured FortiAuthenticator connection. */
  attached: z.array(z.string()).default([]),
  acknowledgement: acknowledgementSchema.nullable().default(null),
  /** Earlier causes, oldest first. */
  formerCauses: z.array(formerCauseSchema),
  /** Oldest first. */
  earlier: z.array(occurrenceSchema).default([]),
  /** Time of the first round that detected the current cause. */
  causeSince: instant,
  /** Times within the last two hours at which the cause returned. */
  returns: z.array(instant),
  /** True if the target has recently had too many outages. The incident is then closed later than usual. */
  flapping: z.boolean().default(false),
  /** Number of consecutive rounds, up to now, that did not detect the fault. */
  streak: z.number(),
  /**
   * `resumed`: no round has checked the fault since a start or a reload. Nothing new is sent until a round has checked
   * it, but its alert in Alertmanager continues.
   * `unverified`: as `resumed`, after a restore from a backup or a long time without rounds. Its alert is not
   * continued, because the fault may have ended long ago.
   */
  presence: z.literal([...PRESENCES, 'resumed', 'unverified']),
  lastNotified: lastNotifiedSchema.nullable(),
  /** The notification is sent even if the incident ends first. */
  awaitsDigest: z.boolean(),
  /** True if the current cause can be sent to Alertmanager. Set once no maintenance or silence is active. */
  published: z.boolean(),
  /**
   * `observed`: the subject is not in the configuration, such as a licence that an API reported. `removed`: the
   * incident was closed because its subject is no longer configured.
   */
  subjectKind: z.literal(['configured', 'observed', 'removed']).default('observed'),
  /** Mail programs show all notifications about an incident as one conversation. */
  thread: z.object({ count: z.number(), first: z.string().nullable(), last: z.string().nullable() }),
});

const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ['sight', 'presence'],
  ['told', 'lastNotified'],
  ['held', 'awaitsDigest'],
]);

export const incidentSchema = z
  .preprocess((row) => {
    if (typeof row !== 'object' || row === null) return row;
    return Object.fromEntries(Object.entries(row).map(([name, value]) => [FORMER_NAMES.get(name) ?? name, value]));
  }, incidentFields)
  .transform((row) => ({
    ...row,
    formerCauses: row.formerCauses.map(
      (former): FormerCause => ({
        ...former,
        since: former.since ?? row.since,
        replacedAt: former.replacedAt ?? former.until,
        published: former.published ?? row.published,
      }),
    ),
  }));

/** A confirmed fault, until it ends. Its cause is how the last rounds explain it, and can change. */
export type Incident = DeepReadonly<z.infer<typeof incidentSchema>>;

export const candidateSchema = z
  .object({
    cause: causeSchema,
    /** Time of the first of the consecutive rounds that detected the fault. */
    since: instant,
    /** Time of the first round that explained the fault as `cause` does. */
    causeSince: instant.optional(),
    streak: z.number(),
    /** Last rounds that checked the fault, oldest first: the round's time if it detected the fault, otherwise null. */
    looks: z.array(instant.nullable()).optional(),
    /** Time of the last round before `since` that did not detect the fault. */
    clearBefore: instant.nullable().default(null),
  })
  .transform((row) => ({
    ...row,
    causeSince: row.causeSince ?? row.since,
    looks: row.looks ?? Array.from({ length: row.streak }, () => row.since),
  }));

/** A fault that has not yet been detected often enough to open an incident. */
export type Candidate = DeepReadonly<z.infer<typeof candidateSchema>>;

export const unjudgedSchema = z.object({
  precondition: z.string(),
  since: instant,
  at: instant,
  /** Number of checks that had no result. */
  checked: z.number().default(1),
});

export type Unjudged = Readonly<z.infer<typeof unjudgedSchema>>;

export const silenceSchema = z.object({
  id: z.string(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  from: instant,
  until: instant,
  by: z.string(),
  comment: z.string(),
});

/** A null field matches all incidents. */
export type Silence = Readonly<z.infer<typeof silenceSchema>>;

/** Contains only plain data, so that it can be stored as JSON. */
export const stateSchema = z.object({
  version: z.literal(1),
  /** Random name of this store. Part of every notification ID, so that IDs from two sites never collide. */
  origin: z.string().default(''),
  /** For the IDs of incidents, digests and silences. */
  counter: z.number(),
  candidates: z.array(z.unknown()),
  unjudged: z.array(z.unknown()).default([]),
  /** Open incidents, and closed incidents that can be reopened or still have notifications to send. */
  incidents: z.array(z.unknown()),
  silences: z.array(z.unknown()),
  maintenance: z.boolean(),
  /** Times within the last hour at which notifications were sent that count towards `maxPerHour`. */
  sent: z.array(instant),
  /** Start time of the current process. Null if the last process was stopped normally. */
  runningSince: instant.nullable().default(null),
  /** Time when an unexpected termination of the process was last reported. */
  restartToldAt: instant.nullable().default(null),
  /** End of the period that the last summary covered. */
  summarizedUntil: instant.nullable().default(null),
});

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

const eventSchema = z.literal(['firing', 'reminder', 'changed', 'resolved']);

export type NotificationEvent = z.infer<typeof eventSchema> | 'digest';

const openCauseSchema = z.object({
  ...causeSchema.in.pick({
    id: true,
    subject: true,
    severity: true,
    kind: true,
    product: true,
    culprit: true,
    observed: true,
  }).shape,
  since: instant,
});

export type OpenCause = DeepReadonly<z.infer<typeof openCauseSchema>>;

const stillOpen = z.array(openCauseSchema).default([]);

const digestItemSchema = z.object({ event: eventSchema, incident: incidentSchema });

export type DigestItem = DeepReadonly<z.infer<typeof digestItemSchema>>;

export const notificationSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('incident'),
    /** The mail's message ID is derived from this ID, so that a repeated delivery can be detected. */
    id: z.string(),
    at: instant,
    event: eventSchema,
    /** As of `at`. */
    incident: incidentSchema,
    nextReminder: instant.nullable(),
    stillOpen,
  }),
  z.object({
    kind: z.literal('digest'),
    id: z.string(),
    at: instant,
    /** Most severe first. */
    items: z.array(digestItemSchema),
    /** Number of items that exceeded the size limit. Resolved incidents are omitted first, then the least severe. */
    omitted: z.number(),
    /** How many of the omitted items are about open incidents. */
    omittedOpen: z.number().default(0),
    /** Open faults that are not in `items`. */
    stillOpen,
  }),
  z.object({ kind: z.literal('test'), id: z.string(), at: instant }),
  /** A notification about ftm-watch itself. All times in the texts are in the site's time zone. */
  z.object({
    kind: z.literal('note'),
    id: z.string(),
    at: instant,
    /** `restart`: the process had terminated unexpectedly. */
    event: z.literal(['restart', 'summary']),
    /** For the mail subject. At most 32 characters. */
    short: z.string(),
    /** Highest severity of the open faults. */
    tone: z.literal(['critical', 'warning', 'good']),
    /** Recommended action for the recipient. */
    action: z.string(),
    summary: z.string(),
    sections: z.array(z.object({ title: z.string(), lines: z.array(z.string()) })),
  }),
]);

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

export const deliverySchema = z.object({
  notificationId: z.string(),
  /** ID in the channel registry. */
  channel: z.string(),
  recipient: z.string(),
  /**
   * `rejected` (refused by all servers) and `expired` (not accepted by any server for days) are retried only while one
   * of the notification's incidents is open. `withdrawn`: the recipient is no longer configured, or there is a newer
   * notification about the same incidents.
   */
  status: z.literal(['pending', 'sent', 'rejected', 'expired', 'withdrawn']),
  createdAt: instant,
  attempts: z.number(),
  firstFailedAt: instant.nullable(),
  nextAttemptAt: instant,
  finishedAt: instant.nullable(),
  /** Last reply from the mail server or webhook. Untrusted and limited in length. */
  detail: z.string(),
});

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
