import type { DatabaseSync } from 'node:sqlite';
import type { AuditEntry, KeptAuditEntry, RefusedChange, RefusedChanges } from '../core/audit.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import type { StateSpan } from '../engine/availability.ts';
import type { Incident, AlertJournal, OutboxEntry } from '../engine/incident/incident.ts';
import {
  type AuditFilter,
  type ChangesAbout,
  createAuditTrail,
  readAuditAbout,
  readAuditTrail,
  RefusalLog,
} from './audit-rows.ts';
import { MirroredJournal, readDeliveries, readDeliveriesAbout, prune } from './alert-journal.ts';
import { Database, type DatabaseDeps } from './database.ts';
import {
  createHistory,
  type RoundRecord,
  type IncidentFilter,
  readClosedIncidents,
  readIncident,
  type DayState,
  readAvailability,
  readLastRound,
  readStateSpans,
  readEnded,
  readHourlyValues,
  readLatency,
  type HourlyValueName,
  type ProbeName,
  type StoredHourlyValue,
  type StoredLatency,
} from './history.ts';

/**
 * Data that is kept across restarts. Methods do not throw. If the file cannot be written or is corrupt, only history is
 * lost. Verdicts and alerts are not affected. If the file cannot be read, lists are empty, unless stated otherwise.
 * Lists of incidents, deliveries and changes start with the latest entry, series with the oldest.
 */
export interface Store {
  readonly journal: AlertJournal;
  /** Also deletes data that is older than the retention time. */
  recordRound(round: RoundRecord): void;
  deliveries(limit: number): readonly OutboxEntry[];
  /** Null if the file cannot be read. */
  ended(since: EpochMs, limit: number): readonly Incident[] | null;
  /** Null if the file cannot be read. */
  closedIncidents(filter: IncidentFilter, limit: number): readonly Incident[] | null;
  /** The incident as of its last change. Null if it does not exist or the file cannot be read. */
  incident(id: string): Incident | null;
  deliveriesAbout(incident: Incident, limit: number): readonly OutboxEntry[];
  /** Null if there is none or the file cannot be read. */
  lastRound(): EpochMs | null;
  /** @param span at most one day */
  availability(from: EpochMs, span: Millis): readonly DayState[];
  /** States from before the retention time may be incomplete. */
  stateSpans(since: EpochMs): readonly StateSpan[];
  latency(series: ProbeName, since: EpochMs, bucket: Millis): readonly StoredLatency[];
  /** @param most maximum number of appliances, the most important ones */
  hourlyValues(name: HourlyValueName, since: EpochMs, most: number): readonly StoredHourlyValue[];
  /** While the file cannot be written, the latest 1,000 changes are kept in memory. */
  recordChange(entry: AuditEntry): void;
  auditTrail(limit: number, filter?: AuditFilter): readonly KeptAuditEntry[];
  /** Returns the changes made on the incident's page, and silences that affected the incident while it was open. */
  auditAbout(incident: Incident): ChangesAbout;
  recordRefusal(refused: RefusedChange): void;
  refusedChanges(limit: number): readonly RefusedChanges[];
  /** Returns whether the last write succeeded (`ftm_store_writable`). */
  writable(): boolean;
  /** Returns a message with advice if the file is from a newer version and therefore not used, otherwise null. */
  newer(): string | null;
  close(): void;
}

/** If expired data remains after a deletion, the next deletion starts sooner. */
const PRUNE_EVERY: Millis = 10 * 60_000;
const LEAST_PRUNED = 2_000;

export function createStore(config: { readonly path: string; readonly retention: Millis }, deps: DatabaseDeps): Store {
  const database = new Database(config.path, deps);
  const keptSince = (): EpochMs => deps.clock.now() - config.retention;
  const journal = new MirroredJournal(database, deps.logger);
  const history = createHistory(database);
  const audit = createAuditTrail(database);
  const refusals = new RefusalLog(database);
  const readAudit = <T>(read: (db: DatabaseSync) => T): T | null => {
    audit.catchUp();
    return database.read(read);
  };
  const pruneAtTimes = createPruning(database, keptSince, deps.clock);

  return {
    journal,
    recordRound(round) {
      history.add(round);
      journal.catchUp();
      audit.catchUp();
      refusals.catchUp();
      pruneAtTimes(round.samples.length);
    },
    deliveries: (limit) => database.read((db) => readDeliveries(db, limit)) ?? [],
    ended: (since, limit) => database.read((db) => readEnded(db, since, limit)),
    closedIncidents: (filter, limit) => database.read((db) => readClosedIncidents(db, filter, limit)),
    incident: (id) => database.read((db) => readIncident(db, id)),
    deliveriesAbout: (incident, limit) => database.read((db) => readDeliveriesAbout(db, incident, limit)) ?? [],
    lastRound: () => database.read(readLastRound),
    availability: (from, span) => database.read((db) => readAvailability(db, from, span)) ?? [],
    stateSpans: (since) => database.read((db) => readStateSpans(db, since)) ?? [],
    latency: (series, since, bucket) => database.read((db) => readLatency(db, series, since, bucket)) ?? [],
    hourlyValues: (name, since, most) => database.read((db) => readHourlyValues(db, name, since, most)) ?? [],
    recordChange: (entry) => audit.add(entry),
    auditTrail: (limit, filter = {}) => readAudit((db) => readAuditTrail(db, limit, filter)) ?? [],
    auditAbout: (incident) => readAudit((db) => readAuditAbout(db, incident)) ?? { changes: [], omitted: 0 },
    recordRefusal: (refused) => refusals.add(refused),
    refusedChanges: (limit) => refusals.read(limit),
    writable: () => database.writable(),
    newer: () => database.newer(),
    close: () => {
      database.retryNow();
      journal.catchUp();
      audit.catchUp();
      refusals.catchUp();
      history.catchUp();
      database.close();
    },
  };
}

/**
 * The returned function deletes up to twice as many rows as the last round wrote (its argument), so that the number of
 * expired rows decreases.
 */
function createPruning(database: Database, keptSince: () => EpochMs, clock: Clock): (written: number) => void {
  let prunedAt: Millis | null = null;
  return (written) => {
    const elapsed = clock.elapsed();
    if (prunedAt !== null && elapsed - prunedAt < PRUNE_EVERY) return;
    let isDone = true;
    database.write((db) => {
      isDone = prune(db, keptSince(), Math.max(LEAST_PRUNED, 2 * written));
    });
    prunedAt = isDone ? elapsed : null;
  };
}
