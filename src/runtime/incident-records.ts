import type { Incident } from '../engine/incident/incident.ts';
import { incidentsOf } from '../engine/incident/notification.ts';
import type { Store } from '../store/store.ts';
import type { AuditQuery, FoundChanges, FoundIncidents, IncidentRecord } from '../web/alert-history.ts';
import { byUrgency } from '../web/incident-json.ts';
import { isAskedFor, type IncidentQuery } from '../web/incident-query.ts';
import { without } from './alert-history-of.ts';
import type { Monitor } from './monitor.ts';

const MOST_ENTRIES = 500;

/** As much of a monitor as the records need. */
export interface IncidentRecordSource {
  readonly store: Pick<
    Store,
    | 'closedIncidents'
    | 'incident'
    | 'deliveriesAbout'
    | 'auditAbout'
    | 'auditTrail'
    | 'refusedChanges'
    | 'writable'
    | 'journal'
  >;
  readonly alerting: Pick<Monitor['alerting'], 'incidents'>;
}

/** What memory knows, and those of the file that are over. */
export function findIncidents(
  { store, alerting }: IncidentRecordSource,
  query: IncidentQuery,
  limit: number,
): FoundIncidents {
  const inMind = alerting.incidents();
  const known = new Set(inMind.map(({ id }) => id));
  const stored = query.state === 'open' ? [] : store.closedIncidents(query, limit + 1);
  const found = byUrgency(
    [...inMind, ...(stored ?? []).filter(({ id }) => !known.has(id))].filter((one) => isAskedFor(one, query)),
  );
  return {
    incidents: found.slice(0, limit),
    more: found.length > limit,
    complete: stored !== null && store.writable(),
  };
}

/** Part of the audit trail; refusals come with the latest changes only. */
export function findChanges(
  { store }: Pick<IncidentRecordSource, 'store'>,
  { before, incident }: AuditQuery,
  limit: number,
): FoundChanges {
  const changes = store.auditTrail(limit + 1, {
    ...(before === null ? {} : { before }),
    ...(incident === null ? {} : { incident }),
  });
  return {
    changes: changes.slice(0, limit),
    refused: before === null && incident === null ? store.refusedChanges(limit) : [],
    more: changes.length > limit,
    complete: store.writable(),
  };
}

/** All that memory and the file know of one incident; null: neither knows it. */
export function incidentRecord({ store, alerting }: IncidentRecordSource, id: string): IncidentRecord | null {
  const incident = alerting.incidents().find((one) => one.id === id) ?? store.incident(id);
  if (incident === null) return null;
  const { journal } = store;
  const { changes, omitted } = store.auditAbout(incident);
  const inMind = [...journal.givenUp(), ...journal.pending()].filter(({ notification }) =>
    incidentsOf(notification).some((told: Incident) => told.id === id),
  );
  return {
    incident,
    outboxEntries: [...inMind.toReversed(), ...without(inMind, store.deliveriesAbout(incident, MOST_ENTRIES))].toSorted(
      (a, b) => b.delivery.createdAt - a.delivery.createdAt,
    ),
    changes,
    omittedChanges: omitted,
    complete: store.writable(),
  };
}
