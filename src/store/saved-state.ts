import type * as z from 'zod';
import { isCauseId, isPreconditionId } from '../checks/registry.ts';
import { type Incident, incidentsOf, type IncidentState, type Notification } from '../engine/incident/incident.ts';
import {
  candidateSchema,
  incidentSchema,
  notificationSchema,
  silenceSchema,
  stateSchema,
  unjudgedSchema,
} from '../engine/incident/schema.ts';
import { isKnownCause, readable } from './known-causes.ts';

// Stored data is validated, because another version of ftm-watch may have written it, also with other causes.

const known = {
  incident: incidentSchema.refine(isKnownIncident),
  candidate: candidateSchema.refine(({ cause }) => isKnownCause(cause)),
  silence: silenceSchema.refine(({ cause }) => cause === null || isCauseId(cause)),
  unjudged: unjudgedSchema.refine(({ precondition }) => isPreconditionId(precondition)),
  notification: notificationSchema.refine(isKnownNotification),
};

function isKnownIncident({ cause, formerCauses, lastNotified }: Incident): boolean {
  const named = [...(lastNotified?.named ?? []), ...(lastNotified === null ? [] : [lastNotified])];
  return (
    isKnownCause(cause) && [...formerCauses.map(({ id }) => id), ...named.map((one) => one.cause)].every(isCauseId)
  );
}

function isKnownNotification(notification: Notification): boolean {
  const stillOpen = 'stillOpen' in notification ? notification.stillOpen : [];
  return incidentsOf(notification).every(isKnownIncident) && stillOpen.every(({ id }) => isCauseId(id));
}

export interface SavedState {
  readonly state: IncidentState;
  /** The number of incidents and silences that only another version can read. */
  readonly unread: number;
}

/** Parses each item separately, so that an invalid item does not affect the others. Null if the text is invalid. */
export function parseState(json: string): SavedState | null {
  const whole = parse(stateSchema, json);
  if (whole === null) return null;
  const incidents = readable(known.incident, whole.incidents);
  const silences = readable(known.silence, whole.silences);
  return {
    state: {
      ...whole,
      incidents,
      silences,
      candidates: readable(known.candidate, whole.candidates),
      unjudged: readable(known.unjudged, whole.unjudged),
    },
    unread: whole.incidents.length - incidents.length + whole.silences.length - silences.length,
  };
}

export function parseIncident(json: string): Incident | null {
  return parse(known.incident, json);
}

export function parseNotification(json: string): Notification | null {
  return parse(known.notification, json);
}

function parse<T>(schema: z.ZodType<T>, json: string): T | null {
  try {
    return schema.safeParse(JSON.parse(json)).data ?? null;
  } catch {
    return null;
  }
}
