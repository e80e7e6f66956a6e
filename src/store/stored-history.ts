import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { ALL_TIME, type Period } from '../core/time-text.ts';
import type { Incident, OutboxEntry } from '../engine/incident/incident.ts';
import { boundsOf, CREATED_WITHIN, readDeliveries, readDeliveriesAbout, readState } from './alert-journal.ts';
import { type ChangesAbout, readAuditAbout } from './audit-rows.ts';
import { newerMessage, openReadOnly, versionOf, MIGRATIONS, sqliteFailure } from './database.ts';
import { OPEN_WITHIN, readIncident, readIncidents } from './store.ts';

/** A daemon's stored data as read by another process. */
export type StoredHistory = Unread | ReadableHistory;

type Unread =
  /** The file is missing or empty. */
  | { readonly kind: 'none' }
  /** The file is locked, corrupt, not readable by this user, or from a newer version. */
  | { readonly kind: 'unreadable'; readonly message: string };

interface ReadableHistory {
  readonly kind: 'read';
  /** In the period, latest first. */
  readonly incidents: readonly Incident[];
  readonly olderIncidents: number;
  /** In the period, latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  readonly olderEntries: number;
  /** Leaf certificates by target, latest first. */
  readonly certificates: readonly StoredCertificate[];
}

interface HistoryLimits {
  readonly incidents: number;
  readonly outboxEntries: number;
  /** Maximum number for each target. */
  readonly certificates: number;
}

const MAX_TARGETS = 50;
/** Maximum number of entries for one incident. */
const MOST_ENTRIES = 500;
/** The first store version that records changes with their incident. Earlier versions are read as well. */
const CHANGES_BY_INCIDENT = 5;
const NO_CHANGES: ChangesAbout = { changes: [], omitted: 0 };

/** Does not write to the file or rename a corrupt file. Never throws. */
export function readStoredHistory(path: string, limits: HistoryLimits, period: Period = ALL_TIME): StoredHistory {
  return readingStore(path, (db) => readAll(db, limits, period));
}

function readingStore<Read>(path: string, read: (db: DatabaseSync) => Read): Read | Unread {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return { kind: 'none' };
    using db = openReadOnly(path);
    const version = versionOf(db);
    if (version > MIGRATIONS.length) return { kind: 'unreadable', message: newerMessage(path, version) };
    if (version === 0) return { kind: 'none' };
    // The transaction provides a consistent view of the data while the daemon writes.
    db.exec('BEGIN');
    return read(db);
  } catch (error) {
    return { kind: 'unreadable', message: sqliteFailure(error).message };
  }
}

function readAll(db: DatabaseSync, limits: HistoryLimits, period: Period): ReadableHistory {
  const targets = db.prepare('SELECT DISTINCT target FROM certificates ORDER BY target LIMIT ?').all(MAX_TARGETS);
  return {
    kind: 'read',
    incidents: readIncidents(db, limits.incidents, period),
    olderIncidents: beyond(limits.incidents, `incidents WHERE ${OPEN_WITHIN}`, { db, period }),
    outboxEntries: readDeliveries(db, limits.outboxEntries, period),
    olderEntries: beyond(limits.outboxEntries, `deliveries WHERE ${CREATED_WITHIN}`, { db, period }),
    certificates: targets.flatMap(({ target }) =>
      readCertificates(db, { target: String(target), limit: limits.certificates, period }),
    ),
  };
}

const certificateRow = z.object({
  target: z.string(),
  fingerprint: z.string(),
  pem: z.string(),
  firstSeen: z.number(),
  lastSeen: z.number(),
});

export type StoredCertificate = Readonly<z.infer<typeof certificateRow>>;

interface CertificateQuery {
  readonly target: string;
  readonly limit: number;
  readonly period: Period;
}

/** Latest first. */
function readCertificates(db: DatabaseSync, { target, limit, period }: CertificateQuery): readonly StoredCertificate[] {
  const rows = db
    .prepare(
      `SELECT target, fingerprint, pem, first_seen AS firstSeen, last_seen AS lastSeen FROM certificates
       WHERE target = :target AND first_seen <= :until AND last_seen >= :since ORDER BY last_seen DESC LIMIT :limit`,
    )
    .all({ ...boundsOf(period), target, limit });
  return z.array(certificateRow).parse(rows);
}

function beyond(limit: number, rows: string, { db, period }: { db: DatabaseSync; period: Period }): number {
  const counted = db.prepare(`SELECT count(*) AS count FROM ${rows}`).get({ ...boundsOf(period) });
  return Math.max(0, Number(counted?.['count']) - limit);
}

/** An incident as read by another process. */
export type StoredIncident =
  | Unread
  | {
      readonly kind: 'found';
      readonly incident: Incident;
      /** About the incident, latest first. */
      readonly outboxEntries: readonly OutboxEntry[];
      readonly about: ChangesAbout;
    }
  /** `latest` lists the latest incidents instead. */
  | { readonly kind: 'missing'; readonly latest: readonly Incident[] };

/**
 * Does not write to the file. Never throws.
 * @param most number of latest incidents to list if the incident does not exist
 */
export function readStoredIncident(path: string, id: string, most: number): StoredIncident {
  return readingStore(path, (db): StoredIncident => {
    // Open incidents are current only in the state, because their rows are written only at transitions.
    const current = readState(db)?.state.incidents ?? [];
    const incident = current.find((one) => one.id === id) ?? readIncident(db, id);
    if (incident === null) return { kind: 'missing', latest: readIncidents(db, most, ALL_TIME) };
    const outboxEntries = readDeliveriesAbout(db, incident, MOST_ENTRIES);
    const about = versionOf(db) < CHANGES_BY_INCIDENT ? NO_CHANGES : readAuditAbout(db, incident);
    return { kind: 'found', incident, outboxEntries, about };
  });
}
