import type { EpochMs } from '../core/clock.ts';
import { type Incident, isFlapping } from '../engine/incident/incident.ts';

/** One incident of `/api/v1/incidents`: names are part of the contract. Times are ISO 8601, UTC. */
export interface IncidentJson {
  readonly id: string;
  readonly status: Incident['status'];
  readonly cause: string;
  readonly subject: string;
  readonly severity: string;
  readonly confidence: string;
  readonly summary: string;
  /** Steps, in order. */
  readonly remedy: readonly string[];
  /** Of the incident; `causeSince` is of the cause as it is now. */
  readonly since: string;
  readonly causeSince: string;
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly lastSeen: string;
  readonly flapping: boolean;
  readonly formerCauses: readonly {
    readonly cause: string;
    readonly subject: string;
    readonly severity: string;
    readonly since: string;
    readonly until: string;
  }[];
  /** The incidents that came and went in turn with this one, and go on in it. */
  readonly merged: readonly string[];
  readonly mergedInto: string | null;
  readonly notifications: number;
}

export function incidentToJson(incident: Incident): IncidentJson {
  const { id, status, cause, formerCauses, thread } = incident;
  return {
    id,
    status,
    cause: cause.id,
    subject: cause.subject,
    severity: cause.severity,
    confidence: cause.confidence,
    summary: cause.summary,
    remedy: cause.remedy,
    since: iso(incident.since),
    causeSince: iso(incident.causeSince),
    openedAt: iso(incident.openedAt),
    closedAt: incident.closedAt === null ? null : iso(incident.closedAt),
    lastSeen: iso(incident.lastSeen),
    flapping: isFlapping(incident),
    formerCauses: formerCauses.map((former) => ({
      cause: former.id,
      subject: former.subject,
      severity: former.severity,
      since: iso(former.since),
      until: iso(former.until),
    })),
    merged: incident.merged,
    mergedInto: incident.mergedInto,
    notifications: thread.count,
  };
}

/** Open ones first, then the latest first. */
export function byUrgency(incidents: readonly Incident[]): readonly Incident[] {
  return incidents.toSorted(
    (a, b) => Number(b.status === 'open') - Number(a.status === 'open') || b.openedAt - a.openedAt,
  );
}

function iso(at: EpochMs): string {
  return new Date(at).toISOString();
}
