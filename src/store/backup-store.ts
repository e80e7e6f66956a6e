import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type Delivery, incidentsOf } from '../engine/incident/incident.ts';
import { messageOf } from '../text/message-of.ts';
import { versionOf, MIGRATIONS, transaction, sqliteFailure } from './database.ts';
import { readGivenUp, readPending, readState } from './alert-journal.ts';

/** In one step: what a daemon writes meanwhile would have it begin again and again. */
const ALL_PAGES = 2_147_483_647;

interface BackupOptions {
  readonly now: EpochMs;
  /** Whether a daemon that is started with the copy sends what was still to be delivered. */
  readonly keepsPending: boolean;
}

/**
 * Copies a store while its daemon writes into it, with what lies in the log of SQLite beside the file. The copy takes
 * the place of a file that is there only when it is whole. A daemon that is started with it does not take itself for
 * one that has crashed.
 * @returns how many deliveries are not sent from the copy
 * @throws {Error} saying which of both files is the trouble
 */
export async function backupStore(from: string, to: string, options: BackupOptions): Promise<number> {
  const temporary = `${to}.${String(process.pid)}.tmp`;
  try {
    using source = new DatabaseSync(from, { readOnly: true });
    closeSync(openSync(temporary, 'wx', 0o600));
    await backup(source, temporary, { rate: ALL_PAGES });
    becomeOneFile(temporary);
    const withdrawn = markCopy(temporary, options);
    if (checkStore(temporary).kind !== 'whole') throw new Error('the copy is not whole');
    renameSync(temporary, to);
    return withdrawn;
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(temporary + suffix, { force: true });
    throw new Error(`Cannot copy the store "${from}" to "${to}": ${messageOf(error)}`, { cause: error });
  }
}

/** Who looks into a copy later leaves no other files beside it. The daemon changes that back. */
function becomeOneFile(path: string): void {
  using copy = new DatabaseSync(path);
  copy.exec('PRAGMA journal_mode = DELETE');
}

const NOT_SENT = 'Not sent from a copy of the store: it may have been sent since';

/**
 * The daemon that wrote it goes on, and ends at some time as it is asked to: the copy knows of neither. What is on its
 * way will have arrived when the copy is put back.
 * @returns how many deliveries were withdrawn
 */
function markCopy(path: string, { now, keepsPending }: BackupOptions): number {
  using db = new DatabaseSync(path);
  // Nobody knows what is in a newer one, and one without a version is none of ours.
  if (versionOf(db) === 0 || versionOf(db) > MIGRATIONS.length) return 0;
  const sent = keepsPending ? [] : sentByDaemon(db);
  transaction(db, () => {
    db.exec("UPDATE incident_state SET json = json_set(json, '$.runningSince', NULL) WHERE json_valid(json)");
    withdraw(db, sent, now);
  });
  return sent.length;
}

/** What is on its way, and what was given up and is tried again while its incident is open. */
function sentByDaemon(db: DatabaseSync): readonly Delivery[] {
  const open = new Set(
    readState(db)?.state.incidents.flatMap(({ id, status }) => (status === 'open' ? [id] : [])) ?? [],
  );
  const triedAgain = readGivenUp(db).filter(({ notification }) =>
    incidentsOf(notification).some(({ id }) => open.has(id)),
  );
  return [...readPending(db).outboxEntries, ...triedAgain].map(({ delivery }) => delivery);
}

function withdraw(db: DatabaseSync, deliveries: readonly Delivery[], now: EpochMs): void {
  const update = db.prepare(
    `UPDATE deliveries SET status = 'withdrawn', finished_at = ?, detail = ?
     WHERE notification = ? AND channel = ? AND recipient = ?`,
  );
  for (const { notificationId, channel, recipient } of deliveries)
    update.run(now, NOT_SENT, notificationId, channel, recipient);
}

export type CheckedStore =
  | { readonly kind: 'missing' }
  /** Locked, or not for this user. */
  | { readonly kind: 'unreadable'; readonly message: string }
  /** What SQLite finds wrong, a line each. */
  | { readonly kind: 'damaged'; readonly problems: readonly string[] }
  | WholeStore;

export interface WholeStore {
  readonly kind: 'whole';
  readonly version: number;
  /** Of this program: an older store is upgraded by the daemon, a newer one left alone. */
  readonly knownVersion: number;
  readonly bytes: number;
  readonly incidents: number;
  /** Deliveries that are still on their way. */
  readonly pending: number;
  /** Of the latest sample; null: there is none. */
  readonly lastSampleAt: EpochMs | null;
}

const BUSY_TIMEOUT: Millis = 1_000;
const MAX_PROBLEMS = 20;

/** Looks through a whole store, of a daemon that runs or a copy, and changes nothing in it. Throws nothing. */
export function checkStore(path: string): CheckedStore {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined) return { kind: 'missing' };
    using db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
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
    ...orphans.slice(0, MAX_PROBLEMS).map(({ table }) => `a row of ${String(table)} refers to nothing`),
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
