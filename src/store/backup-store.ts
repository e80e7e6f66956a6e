import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import type { Incident, IncidentState } from '../engine/incident/incident.ts';
import type { OutboxEntry } from '../engine/incident/journal.ts';
import { incidentsOf, type Notification } from '../engine/incident/notification.ts';
import { messageOf } from '../text/message-of.ts';
import { checkStore } from './check-store.ts';
import { versionOf } from './connect.ts';
import { readGivenUp, readPending, readState } from './journal-rows.ts';
import { MIGRATIONS } from './migrations.ts';
import { stateText } from './saved-state.ts';
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
 * The daemon that wrote it ends at some time as it is asked to, and the copy does not know of it. What is on its way is
 * not sent from it as it is: it may have arrived, and its fault be over, when the copy is put back.
 * @returns how many deliveries were withdrawn
 */
function markCopy(path: string, { now, keepsPending }: BackupOptions): number {
  using db = new DatabaseSync(path);
  // Nobody knows what is in a newer one, and one without a version is none of ours.
  if (versionOf(db) === 0 || versionOf(db) > MIGRATIONS.length) return 0;
  const unsent = keepsPending ? [] : unsentBy(db);
  const saved = readState(db);
  transaction(db, () => {
    if (saved !== null) {
      const stopped = { ...saved.state, runningSince: null };
      const state = keepsPending ? stopped : goneOnWithout(stopped, unsent);
      db.prepare('UPDATE incident_state SET json = ?').run(stateText(state, saved.unread, -Infinity));
    }
    withdraw(db, unsent, now);
  });
  return unsent.length;
}

/**
 * The state in a copy of a daemon that goes on, and tells what the copy will never know. What is open is reported only
 * after a round has seen it again; to everybody if somebody had not been reached. It counts under a new origin, since
 * the daemon counts on as well. The next summary begins when it is put back: the last one may have been sent.
 */
function goneOnWithout(state: IncidentState, unsent: readonly OutboxEntry[]): IncidentState {
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

/** The incidents that a notification brings news of. */
function announcedIn(notification: Notification): readonly string[] {
  const items = notification.kind === 'digest' ? notification.items : [notification];
  return items.flatMap((item) =>
    'incident' in item && (item.event === 'firing' || item.event === 'changed') ? [item.incident.id] : [],
  );
}

/** What is on its way, and what was given up and is tried again while its incident is open. */
function unsentBy(db: DatabaseSync): readonly OutboxEntry[] {
  const open = new Set(
    readState(db)?.state.incidents.flatMap(({ id, status }) => (status === 'open' ? [id] : [])) ?? [],
  );
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
