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
  readRecentChanges,
  RefusalLog,
} from './audit-rows.ts';
import { MirroredJournal, readDeliveries, readDeliveriesAbout, prune } from './alert-journal.ts';
import { Database, type DatabaseDeps } from './database.ts';
import {
  readHourlyValues,
  readLatency,
  type HourlyValueName,
  type ProbeName,
  type StoredHourlyValue,
  type StoredLatency,
} from './hourly-values.ts';
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
} from './history.ts';

/**
 * Data that is kept across restarts. The store never blocks a verdict or an alert. No operation throws. If the file is
 * locked, full, read-only or corrupt, only history is lost.
 */
export interface Store {
  /** Incidents and undelivered notifications. */
  readonly journal: AlertJournal;
  /** Stores a round, and deletes rounds that are older than the retention time. */
  recordRound(round: RoundRecord): void;
  /**
   * The deliveries, latest first. If the file cannot be read, this method and the methods below return an empty list.
   */
  deliveries(limit: number): readonly OutboxEntry[];
  /** Incidents that ended after this time, latest first. Null if the file cannot be read. */
  ended(since: EpochMs, limit: number): readonly Incident[] | null;
  /** Closed incidents that match the filter, latest first. Null if the file cannot be read. */
  closedIncidents(filter: IncidentFilter, limit: number): readonly Incident[] | null;
  /** The incident as of its last change. Null if the incident does not exist or the file cannot be read. */
  incident(id: string): Incident | null;
  /** The notifications sent for one incident, latest first. */
  deliveriesAbout(incident: Incident, limit: number): readonly OutboxEntry[];
  /** Time when the last stored round ended. Null if there is none or the file cannot be read. */
  lastRound(): EpochMs | null;
  /** States in each span, starting at `from`. A span is at most one day. */
  availability(from: EpochMs, span: Millis): readonly DayState[];
  /** States of all preconditions since then. States from before the retention time may be incomplete. */
  stateSpans(since: EpochMs): readonly StateSpan[];
  /** Means over spans of the length `bucket`. */
  latency(series: ProbeName, since: EpochMs, bucket: Millis): readonly StoredLatency[];
  /** Values of the most important appliances. `most` is their maximum number. */
  hourlyValues(name: HourlyValueName, since: EpochMs, most: number): readonly StoredHourlyValue[];
  /**
   * Stores a user's change for the whole retention time. While the file cannot be written, the latest 1,000 changes are
   * kept in memory.
   */
  recordChange(entry: AuditEntry): void;
  /** Latest first. */
  auditTrail(limit: number, filter?: AuditFilter): readonly KeptAuditEntry[];
  /**
   * Changes that were made on the page of an incident, and silences of the incident from the time while it was open.
   */
  auditAbout(incident: Incident): ChangesAbout;
  /** The latest changes about each of these incidents, latest first. */
  recentChanges(incidents: readonly Incident[]): readonly AuditEntry[];
  recordRefusal(refused: RefusedChange): void;
  /** Latest first. */
  refusedChanges(limit: number): readonly RefusedChanges[];
  /** Reports whether the last write succeeded (`ftm_store_writable`). */
  writable(): boolean;
  /** Returns advice if the file is from a newer version and therefore not used. Otherwise, returns null. */
  newer(): string | null;
  close(): void;
}

/** Interval at which old data is deleted. If some old data remains, the next deletion starts earlier. */
const PRUNE_EVERY: Millis = 10 * 60_000;
const LEAST_PRUNED = 2_000;

/** @param config path of the file and retention time of its data */
export function createStore(config: { readonly path: string; readonly retention: Millis }, deps: DatabaseDeps): Store {
  const database = new Database(config.path, deps);
  const keptSince = (): EpochMs => deps.clock.now() - config.retention;
  const journal = new MirroredJournal(database, { logger: deps.logger, keptSince });
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
    recentChanges: (incidents) => readAudit((db) => readRecentChanges(db, incidents)) ?? [],
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
 * @returns a function whose argument is the number of rows that the last round wrote; it deletes up to twice as many
 * rows, so that deletion is faster than writing
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
