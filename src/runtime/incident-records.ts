import { type Incident, incidentsOf, deliveryKey, type OutboxEntry } from '../engine/incident/incident.ts';
import type { Store } from '../store/store.ts';
import type { AuditQuery, FoundChanges, FoundIncidents, IncidentRecord, AlertHistory } from '../web/sources.ts';
import { byUrgency, isAskedFor, type IncidentQuery } from '../web/incident-json.ts';
import { nextTurn } from '../system/clock.ts';
import type { Alerting } from '../notify/alerting.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';

const MOST_ENTRIES = 500;

export interface IncidentRecordSource {
  readonly store: Store;
  readonly alerting: Pick<Alerting, 'incidents'>;
}

export function findIncidents(
  { store, alerting }: IncidentRecordSource,
  query: IncidentQuery,
  limit: number,
): FoundIncidents {
  const stored = query.state === 'open' ? [] : store.closedIncidents(query, limit + 1);
  return found({ store, alerting }, stored, query, limit);
}

/** Reading and checking an incident takes about 0.2 ms. */
const READ_AT_ONCE = 50;

/** As `findIncidents`, but with a turn of the event loop for every 50 incidents. */
export async function collectIncidents(
  source: IncidentRecordSource,
  query: IncidentQuery,
  limit: number,
): Promise<FoundIncidents> {
  const stored: Incident[] = [];
  // The number of incidents in a part does not show whether it is the last part, because incidents that only another
  // version can read are omitted.
  for (let offset = 0; query.state !== 'open' && offset <= limit; offset += READ_AT_ONCE) {
    const part = source.store.closedIncidents(query, READ_AT_ONCE, offset);
    if (part === null) return found(source, null, query, limit);
    stored.push(...part);
    await nextTurn();
  }
  return found(source, stored, query, limit);
}

function found(
  { store, alerting }: IncidentRecordSource,
  stored: readonly Incident[] | null,
  query: IncidentQuery,
  limit: number,
): FoundIncidents {
  // Incidents that ended while others were read can be present twice.
  const byId = new Map([...(stored ?? []), ...alerting.incidents()].map((incident) => [incident.id, incident]));
  const asked = byUrgency([...byId.values()].filter((one) => isAskedFor(one, query)));
  return {
    incidents: asked.slice(0, limit),
    more: asked.length > limit,
    complete: stored !== null && store.writable(),
  };
}

export function findChanges(
  { store }: IncidentRecordSource,
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

/** The page is requested often, and ended incidents rarely change. */
const KEPT: Millis = 2_000;
const BACK: Millis = 7 * 86_400_000;
const MOST_ENDED = 50;
const MOST_HISTORY_ENTRIES = 100;

interface Read {
  readonly at: Millis;
  /** How often a delivery had been added or updated. A delivery that has ended is only in the store. */
  readonly deliveryChanges: number;
  readonly ended: NonNullable<ReturnType<Store['ended']>>;
  readonly outboxEntries: readonly OutboxEntry[];
  readonly readable: boolean;
}

/** Reads the history at most once every few seconds. If the history cannot be read, returns earlier data. */
export function createAlertHistory({ store, alerting }: IncidentRecordSource, clock: Clock): () => AlertHistory {
  const { journal } = store;
  let last: Read | null = null;
  return () => {
    const inMind = [...journal.givenUp(), ...journal.pending()];
    const [deliveryChanges, at] = [journal.deliveryChanges(), clock.elapsed()];
    const known = last?.deliveryChanges === deliveryChanges && at - last.at < KEPT ? last : null;
    const read = known ?? readAnew(store, last, { deliveryChanges, at, now: clock.now() });
    last = read;
    const incidents = merged(alerting.incidents(), read.ended.incidents);
    const listed = incidents.filter(({ status }) => status === 'closed').length;
    return {
      incidents,
      omitted: Math.max(0, read.ended.incidents.length + read.ended.omitted - listed),
      outboxEntries: [
        ...inMind.toReversed().slice(0, MOST_HISTORY_ENTRIES),
        ...without(inMind, read.outboxEntries),
      ].toSorted((a, b) => b.delivery.createdAt - a.delivery.createdAt),
      complete: read.readable && store.writable(),
    };
  };
}

function readAnew(
  store: Store,
  before: Read | null,
  { now, ...when }: Pick<Read, 'deliveryChanges' | 'at'> & { readonly now: EpochMs },
): Read {
  const ended = store.ended({ since: now - BACK, until: now }, MOST_ENDED);
  if (ended === null)
    return {
      ...when,
      ended: before?.ended ?? { incidents: [], omitted: 0 },
      outboxEntries: before?.outboxEntries ?? [],
      readable: false,
    };
  return { ...when, ended, outboxEntries: store.deliveries(MOST_HISTORY_ENTRIES), readable: true };
}

function merged(inMind: readonly Incident[], ended: readonly Incident[]): readonly Incident[] {
  const known = new Set(inMind.map(({ id }) => id));
  return [...inMind, ...ended.filter(({ id }) => !known.has(id))];
}

/** Deliveries in the outbox are excluded, because the outbox holds their current state. */
function without(inMind: readonly OutboxEntry[], stored: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const known = new Set(inMind.map(({ delivery }) => deliveryKey(delivery)));
  return stored.filter(({ delivery }) => delivery.status !== 'pending' && !known.has(deliveryKey(delivery)));
}
