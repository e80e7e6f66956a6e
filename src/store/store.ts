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
 * Stores data that is kept across restarts. Methods do not throw. If the file cannot be written or is corrupt, only
 * history is lost. Verdicts and alerts are not affected.
 */
export interface Store {
  /** Journal of incidents and undelivered notifications. */
  readonly journal: AlertJournal;
  /** Stores a round, and deletes data that is older than the retention time. */
  recordRound(round: RoundRecord): void;
  /**
   * Returns the deliveries, latest first. If the file cannot be read, this and the following methods return an empty
   * list, unless stated otherwise.
   */
  deliveries(limit: number): readonly OutboxEntry[];
  /** Returns incidents that ended after `since`, latest first. Returns null if the file cannot be read. */
  ended(since: EpochMs, limit: number): readonly Incident[] | null;
  /** Returns closed incidents that match the filter, latest first. Returns null if the file cannot be read. */
  closedIncidents(filter: IncidentFilter, limit: number): readonly Incident[] | null;
  /** Returns an incident as of its last change. Returns null if it does not exist or the file cannot be read. */
  incident(id: string): Incident | null;
  /** Returns the notifications about one incident, latest first. */
  deliveriesAbout(incident: Incident, limit: number): readonly OutboxEntry[];
  /** Returns the time when the last stored round ended. Returns null if there is none or the file cannot be read. */
  lastRound(): EpochMs | null;
  /** Returns the states of preconditions in each time span, starting at `from`. A span is at most one day. */
  availability(from: EpochMs, span: Millis): readonly DayState[];
  /** Returns the states of all preconditions since `since`. States from before the retention time may be incomplete. */
  stateSpans(since: EpochMs): readonly StateSpan[];
  /** Returns mean latencies for consecutive time spans of length `bucket`. */
  latency(series: ProbeName, since: EpochMs, bucket: Millis): readonly StoredLatency[];
  /** Returns hourly values for the most important appliances. @param most maximum number of appliances */
  hourlyValues(name: HourlyValueName, since: EpochMs, most: number): readonly StoredHourlyValue[];
  /**
   * Stores a user's change for the whole retention time. While the file cannot be written, the latest 1,000 changes are
   * kept in memory.
   */
  recordChange(entry: AuditEntry): void;
  /** Returns the audit entries that match the filter, latest first. */
  auditTrail(limit: number, filter?: AuditFilter): readonly KeptAuditEntry[];
  /**
   * Returns changes that were made on an incident's page, and silences that affected the incident while it was open.
   */
  auditAbout(incident: Incident): ChangesAbout;
  /** Returns the latest changes to these incidents, latest first. */
  recentChanges(incidents: readonly Incident[]): readonly AuditEntry[];
  recordRefusal(refused: RefusedChange): void;
  /** Returns refused changes, latest first. */
  refusedChanges(limit: number): readonly RefusedChanges[];
  /** Reports whether the last write succeeded (`ftm_store_writable`). */
  writable(): boolean;
  /**
   * Returns a message with advice if the file is not used because it is from a newer version. Otherwise, returns null.
   */
  newer(): string | null;
  close(): void;
}

/**
 * Interval between deletions of expired data. If expired data remains after a deletion, the next deletion starts
 * earlier.
 */
const PRUNE_EVERY: Millis = 10 * 60_000;
const LEAST_PRUNED = 2_000;

/** @param config path of the file, and retention time for its data */
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
 * @returns a function that deletes expired rows; its argument is the number of rows that the last round wrote, and it
 * deletes up to twice as many, so that the number of expired rows decreases
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
