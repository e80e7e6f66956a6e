import * as z from 'zod';
import type { EpochMs } from '../../core/clock.ts';
import { causeSchema, severitySchema } from '../model.ts';

// Only code that reads stored data loads these schemas; the types in incident.ts are inferred from them. Fields with a
// default are missing in data from earlier versions, in which an incident had different names for some fields. IDs of
// causes and preconditions are not checked here.

const instant: z.ZodType<EpochMs> = z.number();

export const occurrenceSchema = z.object({
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

export const acknowledgementSchema = z.object({ at: instant, by: z.string() });

const observed = causeSchema.in.shape.observed;

export const namedCauseSchema = z.object({
  cause: z.string(),
  subject: z.string(),
  severity: severitySchema,
  observed,
});

export const lastNotifiedSchema = namedCauseSchema
  .extend({ at: instant, named: z.array(namedCauseSchema).optional() })
  .transform(({ named, ...last }) => ({
    ...last,
    named: named ?? [{ cause: last.cause, subject: last.subject, severity: last.severity }],
  }));

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

/** `unjudged`: the round could not check the cause. `hidden`: a deeper fault prevented the check. */
export const PRESENCES = ['seen', 'absent', 'unjudged', 'hidden'] as const;

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
    formerCauses: row.formerCauses.map((former) => ({
      ...former,
      since: former.since ?? row.since,
      replacedAt: former.replacedAt ?? former.until,
      published: former.published ?? row.published,
    })),
  }));

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

export const unjudgedSchema = z.object({
  precondition: z.string(),
  since: instant,
  at: instant,
  /** Number of checks that had no result. */
  checked: z.number().default(1),
});

export const silenceSchema = z.object({
  id: z.string(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  from: instant,
  until: instant,
  by: z.string(),
  comment: z.string(),
});

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

export const eventSchema = z.literal(['firing', 'reminder', 'changed', 'resolved']);

export const openCauseSchema = z.object({
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

const stillOpen = z.array(openCauseSchema).default([]);

export const digestItemSchema = z.object({ event: eventSchema, incident: incidentSchema });

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
