import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import {
  type Incident,
  type IncidentState,
  type OutboxEntry,
  incidentsOf,
  type Notification,
} from '../engine/incident/incident.ts';
import { temporaryFor } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';
import { openReadOnly, versionOf, MIGRATIONS, transaction, sqliteFailure } from './database.ts';
import { readGivenUp, readPending, readState } from './alert-journal.ts';

/** Copies all pages in one step. Otherwise, copying would start over whenever the daemon writes. */
const ALL_PAGES = 2_147_483_647;

interface BackupOptions {
  readonly now: EpochMs;
  /** True if a daemon that is started with the copy should send the undelivered notifications. */
  readonly keepsPending: boolean;
}

/**
 * Copies a store while its daemon writes to it. An existing file is replaced only when the copy is complete. A daemon
 * that is started with the copy does not report a crash.
 * @returns the number of deliveries that will not be sent from the copy
 * @throws {Error} with the name of the affected file
 */
export async function backupStore(from: string, to: string, options: BackupOptions): Promise<number> {
  const temporary = temporaryFor(to);
  try {
    using source = new DatabaseSync(from, { readOnly: true });
    closeSync(openSync(temporary, 'wx', 0o600));
    await backup(source, temporary, { rate: ALL_PAGES });
    becomeOneFile(temporary);
    const withdrawn = markCopy(temporary, options);
    if (checkStore(temporary).kind !== 'whole') throw new Error('the copy is damaged');
    renameSync(temporary, to);
    return withdrawn;
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(temporary + suffix, { force: true });
    throw new Error(`Cannot copy the store "${from}" to "${to}": ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Without write-ahead logging, SQLite does not create files next to the copy. The daemon turns write-ahead logging on
 * again.
 */
function becomeOneFile(path: string): void {
  using copy = new DatabaseSync(path);
  copy.exec('PRAGMA journal_mode = DELETE');
}

const NOT_SENT = 'Not sent from a copy of the store, because it may have been sent in the meantime';

/**
 * Records a regular shutdown. Withdraws pending deliveries, because by the time of the restore, they may have been
 * delivered and the faults may have ended.
 */
function markCopy(path: string, { now, keepsPending }: BackupOptions): number {
  using db = new DatabaseSync(path);
  // The file is from a newer version, or not from ftm-watch.
  if (versionOf(db) === 0 || versionOf(db) > MIGRATIONS.length) return 0;
  const saved = readState(db)?.state;
  const unsent = keepsPending ? [] : unsentBy(db, saved?.incidents ?? []);
  transaction(db, () => {
    if (saved !== undefined) {
      const stopped = { ...saved, runningSince: null };
      const state = keepsPending ? stopped : stateForCopy(stopped, unsent);
      db.prepare('UPDATE incident_state SET json = ?').run(JSON.stringify(state));
    }
    withdraw(db, unsent, now);
  });
  return unsent.length;
}

/**
 * The daemon continues to run. Open incidents are reported only after a round has detected them again. If a report
 * about an incident did not reach every recipient, the incident is reported to all recipients again. The copy is given
 * a new origin, because the running daemon continues to assign the same numbers. The next summary starts at the
 * restore, because the running daemon may already have sent the last one.
 */
function stateForCopy(state: IncidentState, unsent: readonly OutboxEntry[]): IncidentState {
  const news = new Set(unsent.flatMap(({ notification }) => announcedIn(notification)));
  return {
    ...state,
    origin: '',
    summarizedUntil: null,
    incidents: state.incidents.map((incident): Incident => {
      if (incident.status !== 'open') return incident;
      const known = news.has(incident.id) ? { lastNotified: null, awaitsDigest: true } : {};
      return { ...incident, presence: 'unverified', ...known };
    }),
  };
}

function announcedIn(notification: Notification): readonly string[] {
  const items = notification.kind === 'digest' ? notification.items : [notification];
  return items.flatMap((item) =>
    'incident' in item && (item.event === 'firing' || item.event === 'changed') ? [item.incident.id] : [],
  );
}

/** Includes abandoned deliveries, which are retried while their incident is open. */
function unsentBy(db: DatabaseSync, incidents: readonly Incident[]): readonly OutboxEntry[] {
  const open = new Set(incidents.flatMap(({ id, status }) => (status === 'open' ? [id] : [])));
  const triedAgain = readGivenUp(db).filter(({ notification }) =>
    incidentsOf(notification).some(({ id }) => open.has(id)),
  );
  return [...readPending(db).outboxEntries, ...triedAgain];
}

function withdraw(db: DatabaseSync, unsent: readonly OutboxEntry[], now: EpochMs): void {
  const update = db.prepare(
    `UPDATE deliveries SET status = 'withdrawn', finished_at = ?, detail = ?
     WHERE notification = ? AND channel = ? AND recipient = ?`,
  );
  for (const { delivery } of unsent)
    update.run(now, NOT_SENT, delivery.notificationId, delivery.channel, delivery.recipient);
}

export type CheckedStore =
  | { readonly kind: 'missing' }
  /** The file is locked or cannot be read by this user. */
  | { readonly kind: 'unreadable'; readonly message: string }
  | { readonly kind: 'damaged'; readonly problems: readonly string[] }
  | WholeStore;

export interface WholeStore {
  readonly kind: 'whole';
  readonly version: number;
  /** The store version that this program writes. The daemon upgrades older stores and does not change newer ones. */
  readonly knownVersion: number;
  readonly bytes: number;
  readonly incidents: number;
  /** Number of pending deliveries. */
  readonly pending: number;
  readonly lastSampleAt: EpochMs | null;
}

const MAX_PROBLEMS = 20;

/** Changes nothing. The store can be in use by a running daemon. Never throws. */
export function checkStore(path: string): CheckedStore {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined) return { kind: 'missing' };
    if (!file.isFile()) return { kind: 'unreadable', message: 'it is not a regular file' };
    using db = openReadOnly(path);
    if (versionOf(db) === 0) return { kind: 'unreadable', message: 'it is empty or was not written by ftm-watch' };
    const problems = problemsIn(db);
    return problems.length > 0 ? { kind: 'damaged', problems } : { kind: 'whole', bytes: file.size, ...contentOf(db) };
  } catch (error) {
    const { kind, message } = sqliteFailure(error);
    return kind === 'corrupt' ? { kind: 'damaged', problems: [message] } : { kind: 'unreadable', message };
  }
}

function problemsIn(db: DatabaseSync): readonly string[] {
  const found = db.prepare(`PRAGMA integrity_check(${String(MAX_PROBLEMS)})`).all();
  const texts = found.map((row) => String(row['integrity_check'])).filter((text) => text !== 'ok');
  const orphans = db.prepare('PRAGMA foreign_key_check').all();
  return [
    ...texts,
    ...orphans.slice(0, MAX_PROBLEMS).map(({ table }) => `a row in ${String(table)} refers to a missing row`),
  ];
}

function contentOf(db: DatabaseSync): Omit<WholeStore, 'kind' | 'bytes'> {
  const one = (sql: string): unknown => db.prepare(sql).get()?.['value'];
  const lastSampleAt = one('SELECT max(at) AS value FROM samples');
  return {
    version: versionOf(db),
    knownVersion: MIGRATIONS.length,
    incidents: Number(one('SELECT count(*) AS value FROM incidents')),
    pending: Number(one("SELECT count(*) AS value FROM deliveries WHERE status = 'pending'")),
    lastSampleAt: typeof lastSampleAt === 'number' ? lastSampleAt : null,
  };
}
