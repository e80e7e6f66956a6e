import { headline } from '../checks/headline.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { type FormerCause, type Incident, lastedText, type Occurrence } from '../engine/incident/incident.ts';
import type { Cause } from '../engine/model.ts';
import { capital } from '../engine/words.ts';

/**
 * The JSON form of an incident everywhere: in the API, in webhooks and in reports. The field names are part of the API.
 * Times are in ISO 8601 format in UTC.
 */
export interface IncidentJson extends Omit<Cause, 'id'>, OccurrenceJson {
  readonly id: string;
  readonly status: Incident['status'];
  /** The cause's ID. The other fields of the cause have the names that they have in `check --json`. */
  readonly cause: string;
  /** The full name of the cause. The subjects of mails contain a short form. */
  readonly headline: string;
  readonly causeSince: string;
  /** Oldest first. */
  readonly earlier: readonly OccurrenceJson[];
  readonly flapping: boolean;
  readonly formerCauses: readonly FormerCauseJson[];
  readonly openingEvidence: readonly string[];
  readonly acknowledgement: { readonly at: string; readonly by: string } | null;
  readonly notifications: number;
}

interface OccurrenceJson {
  readonly since: string;
  readonly openedAt: string;
  readonly closedAt: string | null;
  readonly lastSeen: string;
  /** In words, such as `about 51 s`. Null while the incident is open. */
  readonly lasted: string | null;
}

interface FormerCauseJson extends Pick<FormerCause, 'subject' | 'severity'> {
  readonly cause: string;
  readonly since: string;
  readonly until: string;
}

export function incidentToJson(incident: Incident): IncidentJson {
  const { id, status, cause, openingEvidence, formerCauses, acknowledgement, flapping, thread } = incident;
  const { id: causeId, ...facts } = cause;
  return {
    id,
    status,
    cause: causeId,
    ...facts,
    headline: capital(headline(cause)),
    ...occurrenceToJson(incident),
    causeSince: isoTime(incident.causeSince),
    earlier: incident.earlier.map(occurrenceToJson),
    flapping,
    formerCauses: formerCauses.map((former) => ({
      cause: former.id,
      subject: former.subject,
      severity: former.severity,
      since: isoTime(former.since),
      until: isoTime(former.until),
    })),
    openingEvidence,
    acknowledgement: acknowledgement === null ? null : { at: isoTime(acknowledgement.at), by: acknowledgement.by },
    notifications: thread.count,
  };
}

function occurrenceToJson(occurrence: Occurrence): OccurrenceJson {
  const { since, openedAt, lastSeen, closedAt } = occurrence;
  return {
    since: isoTime(since),
    openedAt: isoTime(openedAt),
    closedAt: isoTimeOrNull(closedAt),
    lastSeen: isoTime(lastSeen),
    lasted: closedAt === null ? null : lastedText(occurrence),
  };
}
