import { isoTime, isoTimeOrNull } from '../core/instant-text.ts';
import type { Incident } from '../engine/incident/incident.ts';

/** One incident of `/api/v1/incidents`: names are part of the contract. Times are ISO 8601, UTC. */
export type IncidentJson = ReturnType<typeof incidentToJson>;

/** Open ones first, then the latest first. */
export function incidentsToJson(incidents: readonly Incident[]): readonly IncidentJson[] {
  return byUrgency(incidents).map(incidentToJson);
}

function incidentToJson(incident: Incident) {
  const { id, status, cause, formerCauses, merged, mergedInto, acknowledgement, thread } = incident;
  return {
    id,
    status,
    cause: cause.id,
    subject: cause.subject,
    severity: cause.severity,
    confidence: cause.confidence,
    summary: cause.summary,
    /** Steps, in order. */
    remedy: cause.remedy,
    remedySteps: cause.remedySteps,
    /** Of the incident; `causeSince` is of the cause as it is now. */
    since: isoTime(incident.since),
    causeSince: isoTime(incident.causeSince),
    openedAt: isoTime(incident.openedAt),
    closedAt: isoTimeOrNull(incident.closedAt),
    lastSeen: isoTime(incident.lastSeen),
    /** The same fault before, each time up to its all-clear. */
    earlier: incident.earlier.map(({ since, openedAt, closedAt, lastSeen }) => ({
      since: isoTime(since),
      openedAt: isoTime(openedAt),
      closedAt: isoTimeOrNull(closedAt),
      lastSeen: isoTime(lastSeen),
    })),
    flapping: incident.flapping,
    formerCauses: formerCauses.map((former) => ({
      cause: former.id,
      subject: former.subject,
      severity: former.severity,
      since: isoTime(former.since),
      until: isoTime(former.until),
    })),
    /** The incidents that came and went in turn with this one, and go on in it. */
    merged,
    mergedInto,
    /** Who has taken it on: reminders stop. */
    acknowledgement: acknowledgement === null ? null : { at: isoTime(acknowledgement.at), by: acknowledgement.by },
    notifications: thread.count,
  };
}

/** Open ones first, then the latest first. */
export function byUrgency(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.toSorted(
    (a, b) => Number(b.status === 'open') - Number(a.status === 'open') || b.openedAt - a.openedAt,
  );
}
