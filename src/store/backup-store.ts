import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import type { Delivery } from '../engine/incident/journal.ts';
import { incidentsOf } from '../engine/incident/notification.ts';
import { messageOf } from '../text/message-of.ts';
import { checkStore } from './check-store.ts';
import { versionOf } from './connect.ts';
import { readGivenUp, readPending, readState } from './journal-rows.ts';
import { MIGRATIONS } from './migrations.ts';
import { transaction } from './transaction.ts';

/** In one step: what a daemon writes meanwhile would have it begin again and again. */
const ALL_PAGES = 2_147_483_647;

export interface BackupOptions {
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
