import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Millis } from '../core/clock.ts';
import { ALL_TIME, type Period } from '../core/time-text.ts';
import type { Incident, OutboxEntry } from '../engine/incident/incident.ts';
import { CREATED_WITHIN, readDeliveries } from './alert-journal.ts';
import { newerMessage, versionOf, MIGRATIONS, sqliteFailure } from './database.ts';
import {
  boundsOf,
  OPEN_WITHIN,
  readCertificates,
  readIncidents,
  type StoredCertificate,
  readIncident,
} from './history.ts';

/** What a daemon has kept, as another process finds it. */
export type StoredHistory = Unread | ReadableHistory;

type Unread =
  /** Nothing was kept. */
  | { readonly kind: 'none' }
  /** Locked, corrupt, not ours to read, or of a newer version. */
  | { readonly kind: 'unreadable'; readonly message: string };

export interface ReadableHistory {
  readonly kind: 'read';
  /** Latest first. */
  readonly incidents: readonly Incident[];
  readonly olderIncidents: number;
  /** Latest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  readonly olderEntries: number;
  /** Leaves that each target showed, latest first. */
  readonly certificates: readonly StoredCertificate[];
}

interface HistoryLimits {
  readonly incidents: number;
  readonly outboxEntries: number;
  /** Of each target. */
  readonly certificates: number;
}

/** Long enough for a checkpoint of the daemon to end. */
const BUSY_TIMEOUT: Millis = 1_000;
const MAX_TARGETS = 50;

/**
 * Reads what a daemon has kept of a period, without writing into its file or setting a corrupt one aside. Throws
 * nothing.
 */
export function readStoredHistory(path: string, limits: HistoryLimits, period: Period = ALL_TIME): StoredHistory {
  return readingStore(path, (db) => readAll(db, limits, period));
}

/** Reads what belongs together, from one moment. Throws nothing. */
function readingStore<Read>(path: string, read: (db: DatabaseSync) => Read): Read | Unread {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return { kind: 'none' };
    using db = openReadOnly(path);
    const version = versionOf(db);
    if (version > MIGRATIONS.length) return { kind: 'unreadable', message: newerMessage(path, version) };
    if (version === 0) return { kind: 'none' };
    // What is read belongs together, however much the daemon writes meanwhile.
    db.exec('BEGIN');
    return read(db);
  } catch (error) {
    return { kind: 'unreadable', message: sqliteFailure(error).message };
  }
}

/** What to do about a store that a newer program wrote. Null: it is none of that kind, or cannot be read. */
export function newerStoreAt(path: string): string | null {
  try {
    using db = openReadOnly(path);
    const version = versionOf(db);
    return version > MIGRATIONS.length ? newerMessage(path, version) : null;
  } catch {
    return null;
  }
}

function openReadOnly(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
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

/** How many rows there are beyond a limit. */
function beyond(limit: number, rows: string, { db, period }: { db: DatabaseSync; period: Period }): number {
  const counted = db.prepare(`SELECT count(*) AS count FROM ${rows}`).get({ ...boundsOf(period) });
  return Math.max(0, Number(counted?.['count']) - limit);
}

/** One incident that a daemon has kept, as another process finds it. */
export type StoredIncident =
  | Unread
  | { readonly kind: 'found'; readonly incident: Incident }
  /** There is none of that name. */
  | { readonly kind: 'missing'; readonly latest: readonly Incident[] };

/**
 * Reads it without writing into the file; of one that goes on in another, the other. Throws nothing.
 * @param most how many of the latest are named instead of one that is missing
 */
export function readStoredIncident(path: string, id: string, most: number): StoredIncident {
  return readingStore(path, (db): StoredIncident => {
    const found = readIncident(db, id);
    if (found === null) return { kind: 'missing', latest: readIncidents(db, most, ALL_TIME) };
    const goesOnIn = found.mergedInto === null ? null : readIncident(db, found.mergedInto);
    return { kind: 'found', incident: goesOnIn ?? found };
  });
}
