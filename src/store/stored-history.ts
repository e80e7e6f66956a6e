import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Millis } from '../core/clock.ts';
import { ALL_TIME, type Period } from '../core/period.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';
import { CREATED_WITHIN, readDeliveries } from './journal-rows.ts';
import { newerMessage, versionOf } from './connect.ts';
import { MIGRATIONS } from './migrations.ts';
import { boundsOf, OPEN_WITHIN, readCertificates, readIncidents, type StoredCertificate } from './history-rows.ts';
import { sqliteFailure } from './sqlite-failure.ts';

/** What a daemon has kept, as another process finds it. */
export type StoredHistory = Unread | ReadableHistory;

export type Unread =
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

export interface HistoryLimits {
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
export function readingStore<Read>(path: string, read: (db: DatabaseSync) => Read): Read | Unread {
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
