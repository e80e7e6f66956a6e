import * as z from 'zod';
import { SEVERITIES } from '../core/severity.ts';
import { type Cause, type RemedyStep, sentenceStep, SYNTAXES } from '../engine/model.ts';
import type { Culprit } from '../core/license/firewall.ts';
import type {
  Candidate,
  Incident,
  IncidentState,
  Silence,
  Unjudged,
  Notification,
} from '../engine/incident/incident.ts';
import { isCauseId, isPreconditionId, type CauseId, type PreconditionId } from '../checks/registry.ts';

/** Stored data is validated, because another version of ftm-watch may have written it. */
const instant = z.number();
const severity = z.literal([...SEVERITIES]);
const causeId = z.custom<CauseId>((value) => typeof value === 'string' && isCauseId(value));
const preconditionId = z.custom<PreconditionId>((value) => typeof value === 'string' && isPreconditionId(value));

const remedyStep: z.ZodType<RemedyStep> = z.object({
  text: z.string(),
  commands: z.string().nullable(),
  undo: z.string().nullable(),
  syntax: z.literal([...SYNTAXES]).nullable(),
  blanks: z.array(z.object({ name: z.string(), meaning: z.string() })),
});

const culprit: z.ZodType<Culprit> = z.object({
  firewall: z.string(),
  firewallHost: z.string(),
  serial: z.string().nullable(),
  action: z.literal(['inspects', 'denies']),
  policy: z.object({ id: z.number(), name: z.string().nullable() }).nullable(),
  profile: z.string().nullable(),
  incoming: z.string().nullable(),
  outgoing: z.string().nullable(),
});

const observed = z.string().exactOptional();

/** Version 0.1.0 did not store `remedySteps`. */
export const cause: z.ZodType<Cause> = z
  .object({
    id: causeId,
    precondition: preconditionId,
    severity,
    confidence: z.literal(['confirmed', 'suspected']),
    subject: z.string(),
    kind: z.string().exactOptional(),
    product: z.string().nullable(),
    culprit: culprit.exactOptional(),
    policyReport: z.string().exactOptional(),
    said: z.string().exactOptional(),
    peer: z.string().exactOptional(),
    observed,
    isEvent: z.literal(true).exactOptional(),
    summary: z.string(),
    impact: z.string(),
    evidence: z.array(z.string()),
    consequences: z.array(preconditionId),
    remedy: z.array(z.string()),
    remedySteps: z.array(remedyStep).optional(),
  })
  .transform((row) => ({ ...row, remedySteps: row.remedySteps ?? row.remedy.map(sentenceStep) }));

const named = z.object({ cause: causeId, subject: z.string(), severity, observed });

/** Version 0.1.0 did not store the fields with a default. */
const told = named.extend({ at: instant, named: z.array(named).optional() }).transform((last) => ({
  ...last,
  named: last.named ?? [{ cause: last.cause, subject: last.subject, severity: last.severity }],
}));

const formerCause = z.object({
  id: causeId,
  subject: z.string(),
  severity,
  observed,
  since: instant.optional(),
  until: instant,
  replacedAt: instant.optional(),
  published: z.boolean().optional(),
});

const occurrence = z.object({
  since: instant,
  openedAt: instant,
  lastSeen: instant,
  closedAt: instant.nullable(),
  clear: z.object({ before: instant.nullable(), after: instant.nullable() }).default({ before: null, after: null }),
});

const incidentRow = occurrence.extend({
  id: z.string(),
  status: z.literal(['open', 'closed']),
  cause,
  openingEvidence: z.array(z.string()).default([]),
  openingPolicyReport: z.string().nullable().default(null),
  attached: z.array(z.string()).default([]),
  acknowledgement: z.object({ at: instant, by: z.string() }).nullable().default(null),
  formerCauses: z.array(formerCause),
  earlier: z.array(occurrence).default([]),
  causeSince: instant,
  returns: z.array(instant),
  flapping: z.boolean().default(false),
  streak: z.number(),
  sight: z.literal(['seen', 'absent', 'unjudged', 'hidden', 'unverified']),
  told: told.nullable(),
  held: z.boolean(),
  published: z.boolean(),
  subjectKind: z.literal(['configured', 'observed', 'removed']).default('observed'),
  thread: z.object({ count: z.number(), first: z.string().nullable(), last: z.string().nullable() }),
});

/** The stored format uses field names from version 0.1.0. */
const incident: z.ZodType<Incident> = incidentRow.transform(({ sight, told: lastNotified, held, ...row }) => ({
  ...row,
  presence: sight,
  lastNotified,
  awaitsDigest: held,
  formerCauses: row.formerCauses.map((former) => ({
    ...former,
    since: former.since ?? row.since,
    replacedAt: former.replacedAt ?? former.until,
    published: former.published ?? row.published,
  })),
}));

const candidate: z.ZodType<Candidate> = z
  .object({
    cause,
    since: instant,
    causeSince: instant.optional(),
    streak: z.number(),
    looks: z.array(instant.nullable()).optional(),
    clearBefore: instant.nullable().default(null),
  })
  .transform((row) => ({
    ...row,
    causeSince: row.causeSince ?? row.since,
    looks: row.looks ?? Array.from({ length: row.streak }, () => row.since),
  }));

const silence: z.ZodType<Silence> = z.object({
  id: z.string(),
  cause: causeId.nullable(),
  subject: z.string().nullable(),
  from: instant,
  until: instant,
  by: z.string(),
  comment: z.string(),
});

const unjudged: z.ZodType<Unjudged> = z.object({
  precondition: preconditionId,
  since: instant,
  at: instant,
  checked: z.number().default(1),
});

const state = z.object({
  version: z.literal(1),
  origin: z.string().default(''),
  counter: z.number(),
  candidates: z.array(z.unknown()),
  incidents: z.array(z.unknown()),
  silences: z.array(z.unknown()),
  unjudged: z.array(z.unknown()).default([]),
  maintenance: z.boolean(),
  sent: z.array(instant),
  runningSince: instant.nullable().default(null),
  restartToldAt: instant.nullable().default(null),
  summarizedUntil: instant.nullable().default(null),
});

const event = z.literal(['firing', 'reminder', 'changed', 'resolved']);

const stillOpen = z
  .array(
    z.object({
      id: causeId,
      subject: z.string(),
      severity,
      kind: z.string().exactOptional(),
      product: z.string().nullable(),
      culprit: culprit.exactOptional(),
      observed,
      since: instant,
    }),
  )
  .default([]);

const notification: z.ZodType<Notification> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('incident'),
    id: z.string(),
    at: instant,
    event,
    incident,
    nextReminder: instant.nullable(),
    stillOpen,
  }),
  z.object({
    kind: z.literal('digest'),
    id: z.string(),
    at: instant,
    items: z.array(z.object({ event, incident })),
    omitted: z.number(),
    // Earlier versions did not store this number.
    omittedOpen: z.number().default(0),
    stillOpen,
  }),
  z.object({ kind: z.literal('test'), id: z.string(), at: instant }),
  z.object({
    kind: z.literal('note'),
    id: z.string(),
    at: instant,
    event: z.literal(['restart', 'summary']),
    short: z.string(),
    tone: z.literal(['critical', 'warning', 'good']),
    action: z.string(),
    summary: z.string(),
    sections: z.array(z.object({ title: z.string(), lines: z.array(z.string()) })),
  }),
]);

export interface SavedState {
  readonly state: IncidentState;
  /** The number of incidents and silences that only another version can read. */
  readonly unread: number;
}

/** Parses each item separately, so that an invalid item does not affect the others. Null if the text is invalid. */
export function parseState(json: string): SavedState | null {
  const whole = parse(state, json);
  if (whole === null) return null;
  const incidents = readable(incident, whole.incidents);
  const silences = readable(silence, whole.silences);
  return {
    state: {
      ...whole,
      incidents,
      silences,
      candidates: readable(candidate, whole.candidates),
      unjudged: readable(unjudged, whole.unjudged),
    },
    unread: whole.incidents.length - incidents.length + whole.silences.length - silences.length,
  };
}

/** Omits items that only another version can read. */
export function readable<T>(schema: z.ZodType<T>, items: readonly unknown[]): readonly T[] {
  return items.flatMap((item) => {
    const { success, data } = schema.safeParse(item);
    return success ? [data] : [];
  });
}

export function stateText(whole: IncidentState): string {
  return JSON.stringify({ ...whole, incidents: whole.incidents.map(rowOf) });
}

export function incidentText(one: Incident): string {
  return JSON.stringify(rowOf(one));
}

export function notificationText(one: Notification): string {
  switch (one.kind) {
    case 'incident':
      return JSON.stringify({ ...one, incident: rowOf(one.incident) });
    case 'digest':
      return JSON.stringify({ ...one, items: one.items.map((item) => ({ ...item, incident: rowOf(item.incident) })) });
    case 'test':
    case 'note':
      return JSON.stringify(one);
  }
}

/** `resumed` is not stored, because each start sets it again and earlier versions cannot read it. */
function rowOf({ presence, lastNotified, awaitsDigest, ...rest }: Incident): object {
  return { ...rest, sight: presence === 'resumed' ? 'unjudged' : presence, told: lastNotified, held: awaitsDigest };
}

export function parseIncident(json: string): Incident | null {
  return parse(incident, json);
}

export function parseNotification(json: string): Notification | null {
  return parse(notification, json);
}

function parse<T>(schema: z.ZodType<T>, json: string): T | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return null;
  }
  const result = schema.safeParse(value);
  return result.success ? result.data : null;
}
