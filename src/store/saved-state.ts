import { z } from 'zod';
import { CAUSE_PRECONDITIONS, SEVERITIES } from '../core/cause.ts';
import type { Cause, CauseId } from '../core/cause.ts';
import type { Incident, IncidentState } from '../core/incident/incident.ts';
import type { Notification } from '../core/incident/notification.ts';
import { PRECONDITIONS } from '../core/precondition.ts';
import type { PreconditionId } from '../core/precondition.ts';

/** What is read back was written by this program, but perhaps by another version of it: it is believed only when it fits. */
const instant = z.number();
const severity = z.literal([...SEVERITIES]);
const causeId = z.custom<CauseId>((value) => typeof value === 'string' && Object.hasOwn(CAUSE_PRECONDITIONS, value));
const preconditionId = z.custom<PreconditionId>((value) => PRECONDITIONS.some(({ id }) => id === value));

const cause: z.ZodType<Cause> = z.object({
  id: causeId,
  precondition: preconditionId,
  severity,
  confidence: z.literal(['confirmed', 'suspected']),
  subject: z.string(),
  product: z.string().nullable(),
  summary: z.string(),
  impact: z.string(),
  evidence: z.array(z.string()),
  consequences: z.array(preconditionId),
  remedy: z.array(z.string()),
});

const incident: z.ZodType<Incident> = z.object({
  id: z.string(),
  status: z.literal(['open', 'closed']),
  cause,
  formerCauses: z.array(z.object({ id: causeId, subject: z.string(), severity, until: instant })),
  since: instant,
  openedAt: instant,
  closedAt: instant.nullable(),
  lastSeen: instant,
  causeSince: instant,
  returns: z.array(instant),
  streak: z.number(),
  sight: z.literal(['seen', 'absent', 'unjudged', 'hidden']),
  told: z.object({ at: instant, severity, cause: causeId, subject: z.string() }).nullable(),
  held: z.boolean(),
  published: z.boolean(),
  thread: z.object({ count: z.number(), first: z.string().nullable(), last: z.string().nullable() }),
});

const state: z.ZodType<IncidentState> = z.object({
  version: z.literal(1),
  counter: z.number(),
  candidates: z.array(z.object({ cause, since: instant, streak: z.number() })),
  incidents: z.array(incident),
  silences: z.array(
    z.object({
      id: z.string(),
      cause: causeId.nullable(),
      subject: z.string().nullable(),
      from: instant,
      until: instant,
      by: z.string(),
      comment: z.string(),
    }),
  ),
  maintenance: z.boolean(),
  sent: z.array(instant),
});

const event = z.literal(['firing', 'reminder', 'changed', 'resolved']);

const notification: z.ZodType<Notification> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('incident'), id: z.string(), at: instant, event, incident, nextReminder: instant.nullable() }),
  z.object({
    kind: z.literal('digest'),
    id: z.string(),
    at: instant,
    items: z.array(z.object({ event, incident })),
    omitted: z.number(),
  }),
  z.object({ kind: z.literal('test'), id: z.string(), at: instant }),
]);

/** Each gives null for a text that does not fit. */
export function parseState(json: string): IncidentState | null {
  return parse(state, json);
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
