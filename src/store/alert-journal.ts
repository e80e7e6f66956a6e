import type { DatabaseSync, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import {
  type Incident,
  type IncidentState,
  deliveryKey,
  isGivenUp,
  type AlertJournal,
  type Delivery,
  type JournalEntry,
  type OutboxEntry,
  eventOf,
  incidentsOf,
  firstOccurrence,
} from '../engine/incident/incident.ts';
import { deliverySchema } from '../engine/incident/schema.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import type { Database } from './database.ts';
import { WriteQueue } from './write-queue.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { type SavedState, parseNotification, parseState } from './saved-state.ts';
import { ALL_TIME, type Period } from '../core/time-text.ts';
import { CHANNEL_IDS } from '../config/schema/channels.ts';

const deliveryRow = deliverySchema.extend({ channel: z.literal(CHANNEL_IDS) });

const COLUMNS = `d.sequence, d.notification AS notificationId, d.channel, d.recipient, d.status,
  d.created_at AS createdAt, d.attempts, d.first_failed_at AS firstFailedAt, d.next_attempt_at AS nextAttemptAt,
  d.finished_at AS finishedAt, d.detail`;

export function readState(db: DatabaseSync): SavedState | null {
  const json = db.prepare('SELECT json FROM incident_state').get()?.['json'];
  return typeof json === 'string' ? parseState(json) : null;
}

interface Pending {
  /** Oldest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /**
   * The number of deliveries that another version stored with a channel or cause unknown to this version. These
   * deliveries are kept but not sent.
   */
  readonly unread: number;
}

/** If more are pending, the oldest are dropped, as in memory. */
export function readPending(db: DatabaseSync): Pending {
  const rows = select(db, "WHERE d.status = 'pending' ORDER BY d.sequence DESC LIMIT ?", MAX_ENTRIES);
  const read = rows.flatMap(outboxEntryOf).toReversed();
  return { outboxEntries: read, unread: rows.length - read.length };
}

export function readGivenUp(db: DatabaseSync): readonly OutboxEntry[] {
  const rows = select(db, "WHERE d.status IN ('rejected', 'expired') ORDER BY d.sequence DESC LIMIT 500");
  return rows.flatMap(outboxEntryOf).toReversed();
}

/** Uses the parameters from `boundsOf`. */
export const CREATED_WITHIN = 'created_at >= :since AND created_at <= :until';

export function boundsOf({ since, until }: Period): { readonly since: EpochMs; readonly until: EpochMs } {
  return { since: since ?? Number.MIN_SAFE_INTEGER, until: until ?? Number.MAX_SAFE_INTEGER };
}

/** Latest first. */
export function readDeliveries(db: DatabaseSync, limit: number, period: Period = ALL_TIME): readonly OutboxEntry[] {
  const sql =
    `SELECT ${COLUMNS}, n.json FROM deliveries d JOIN notifications n ON n.id = d.notification ` +
    `WHERE ${CREATED_WITHIN} ORDER BY d.sequence DESC LIMIT :limit`;
  return db
    .prepare(sql)
    .all({ ...boundsOf(period), limit })
    .flatMap(outboxEntryOf);
}

/** Latest first, without the notifications, so that this can be done in every round. */
export function readDeliveryStates(db: DatabaseSync, limit: number): readonly Delivery[] {
  const rows = db.prepare(`SELECT ${COLUMNS} FROM deliveries d ORDER BY d.sequence DESC LIMIT ?`).all(limit);
  return rows.flatMap((row) => deliveryRow.safeParse(row).data ?? []);
}

/** Latest first. Includes digests that contain the incident. */
export function readDeliveriesAbout(db: DatabaseSync, incident: Incident, limit: number): readonly OutboxEntry[] {
  const { id, closedAt } = incident;
  const until = (closedAt ?? Number.MAX_SAFE_INTEGER - DIGEST_DELAY) + DIGEST_DELAY;
  const rows = select(
    db,
    // The ID of a notification about one incident is the incident's ID, "." and a number. In ASCII, "/" follows ".".
    `WHERE (n.id > ? || '.' AND n.id < ? || '/') OR (n.event = 'digest' AND n.at BETWEEN ? AND ?)
     ORDER BY d.sequence DESC LIMIT ?`,
    id,
    id,
    firstOccurrence(incident).openedAt,
    until,
    limit,
  );
  return rows
    .flatMap(outboxEntryOf)
    .filter(({ notification }) => incidentsOf(notification).some((told) => told.id === id));
}

/** The longest time for which the hourly limit can delay a `resolved` notification. */
const DIGEST_DELAY: Millis = 86_400_000;

type Columns = ReturnType<StatementSync['all']>[number];

function select(db: DatabaseSync, rest: string, ...values: readonly (number | string)[]): readonly Columns[] {
  return db
    .prepare(`SELECT ${COLUMNS}, n.json FROM deliveries d JOIN notifications n ON n.id = d.notification ${rest}`)
    .all(...values);
}

/** Empty if another version stored the row in a different format. */
function outboxEntryOf(columns: Columns): readonly OutboxEntry[] {
  const delivery = deliveryRow.safeParse(columns);
  const notification = typeof columns['json'] === 'string' ? parseNotification(columns['json']) : null;
  return delivery.success && notification !== null ? [{ delivery: delivery.data, notification }] : [];
}

/** If there are more entries than this, the oldest entry is dropped. */
const MAX_ENTRIES = 5_000;
/** Of the state, incidents and entries. The state is never the oldest, because every change adds it again. */
const MAX_UNWRITTEN = 2 * MAX_ENTRIES;

const UNREAD =
  'The history contains incidents, silences or notifications that were written by a different version of ftm-watch ' +
  'and that this version cannot read. The incidents and silences are deleted. The notifications are kept, but not sent';

/**
 * Keeps the alert journal in memory and in a file. The copy in memory is authoritative, so that alerts are sent even if
 * the disk fails. After a failed write, the next successful write includes all missing changes.
 */
export class MirroredJournal implements AlertJournal {
  readonly #database: Database;
  readonly #logger: OperatorLog;
  /** Pending entries, and given up ones whose incident is open, oldest first. */
  readonly #entries = new Map<string, OutboxEntry>();
  readonly #unwritten: WriteQueue<(db: DatabaseSync) => void>;
  #state: IncidentState | null = null;
  #loaded = false;
  #deliveryChanges = 0;

  constructor(database: Database, logger: OperatorLog) {
    this.#database = database;
    this.#logger = logger;
    this.#unwritten = new WriteQueue(database, {
      most: MAX_UNWRITTEN,
      write: (db, writes) => {
        for (const write of writes) write(db);
      },
      isLazy: false,
    });
    database.onNewFile(() => {
      for (const outboxEntry of this.#entries.values()) this.#put(outboxEntry);
      this.#putState();
    });
  }

  savedState(): IncidentState | null {
    this.#load();
    return this.#state;
  }

  record(entry: JournalEntry): void {
    this.#load();
    this.#state = entry.state;
    this.#putState();
    for (const incident of entry.incidents)
      this.#unwritten.put((db) => writeIncident(db, incident), `incident ${incident.id}`);
    for (const outboxEntry of entry.outboxEntries) this.#keep(outboxEntry);
    for (const [key, outboxEntry] of this.#entries) if (!this.#isKept(outboxEntry)) this.#entries.delete(key);
    for (const key of this.#entries.keys()) if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(key);
    this.flush();
  }

  update(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const key = deliveryKey(delivery);
      const notification = this.#entries.get(key)?.notification;
      if (notification !== undefined) this.#keep({ delivery, notification });
    }
    this.flush();
  }

  /**
   * Writes the entries that could not be written before. Otherwise, they would remain unwritten until the next new
   * entry, possibly for days.
   */
  flush(): void {
    // An unused journal does not open the file, because the file may belong to another process.
    if (!this.#loaded && this.#state === null) return;
    this.#load();
    this.#database.closeIfReplaced();
    this.#unwritten.flush();
  }

  deliveryChanges(): number {
    return this.#deliveryChanges;
  }

  pending(): readonly OutboxEntry[] {
    this.#load();
    return [...this.#entries.values()].filter(({ delivery }) => delivery.status === 'pending');
  }

  givenUp(): readonly OutboxEntry[] {
    this.#load();
    return [...this.#entries.values()].filter(({ delivery }) => isGivenUp(delivery));
  }

  #isKept({ delivery, notification }: OutboxEntry): boolean {
    if (!isGivenUp(delivery)) return delivery.status === 'pending';
    const ids = new Set(this.#state?.incidents.flatMap(({ id, status }) => (status === 'open' ? [id] : [])));
    return incidentsOf(notification).some(({ id }) => ids.has(id));
  }

  /**
   * If the file cannot be read, the next call tries again, because the file may merely have been locked at startup, and
   * notifications would otherwise be lost.
   */
  #load(): void {
    if (this.#loaded) return;
    const saved = this.#database.read((db) => ({
      state: readState(db),
      pending: readPending(db),
      givenUp: readGivenUp(db),
    }));
    if (saved === null) return;
    this.#loaded = true;
    this.#state ??= saved.state?.state ?? null;
    const [notifications, others] = [saved.pending.unread, saved.state?.unread ?? 0];
    if (notifications + others > 0)
      this.#logger.warn({ event: 'history-unreadable', notifications, incidentsAndSilences: others }, UNREAD);
    const since = [...this.#entries];
    this.#entries.clear();
    for (const outboxEntry of [...saved.givenUp, ...saved.pending.outboxEntries])
      if (this.#isKept(outboxEntry)) this.#entries.set(deliveryKey(outboxEntry.delivery), outboxEntry);
    for (const [key, outboxEntry] of since) this.#entries.set(key, outboxEntry);
  }

  #keep(outboxEntry: OutboxEntry): void {
    const key = deliveryKey(outboxEntry.delivery);
    this.#deliveryChanges += 1;
    this.#put(outboxEntry);
    if (this.#isKept(outboxEntry)) this.#entries.set(key, outboxEntry);
    else this.#entries.delete(key);
  }

  #putState(): void {
    const state = this.#state;
    if (state !== null) this.#unwritten.put((db) => writeState(db, state), 'state');
  }

  #put(outboxEntry: OutboxEntry): void {
    this.#unwritten.put((db) => writeOutboxEntry(db, outboxEntry), `delivery ${deliveryKey(outboxEntry.delivery)}`);
  }
}

function writeState(db: DatabaseSync, state: IncidentState): void {
  db.prepare(
    'INSERT INTO incident_state (only, json) VALUES (1, ?) ON CONFLICT (only) DO UPDATE SET json = excluded.json',
  ).run(JSON.stringify(state));
}

function writeIncident(db: DatabaseSync, incident: Incident): void {
  const { id, cause, openedAt, closedAt } = incident;
  db.prepare(
    `INSERT INTO incidents (id, cause, subject, severity, opened_at, closed_at, json) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET cause = excluded.cause, subject = excluded.subject, severity = excluded.severity,
       closed_at = excluded.closed_at, json = excluded.json`,
  ).run(id, cause.id, cause.subject, cause.severity, openedAt, closedAt, JSON.stringify(incident));
}

function writeOutboxEntry(db: DatabaseSync, { delivery, notification }: OutboxEntry): void {
  const { id, at } = notification;
  const insert = 'INSERT INTO notifications (id, event, at, json) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING';
  db.prepare(insert).run(id, eventOf(notification), at, JSON.stringify(notification));
  db.prepare(
    `INSERT INTO deliveries (notification, channel, recipient, status, created_at, attempts, first_failed_at,
       next_attempt_at, finished_at, detail)
     VALUES (:notificationId, :channel, :recipient, :status, :createdAt, :attempts, :firstFailedAt,
       :nextAttemptAt, :finishedAt, :detail)
     ON CONFLICT (notification, channel, recipient) DO UPDATE SET
       status = excluded.status, attempts = excluded.attempts, first_failed_at = excluded.first_failed_at,
       next_attempt_at = excluded.next_attempt_at, finished_at = excluded.finished_at, detail = excluded.detail`,
  ).run({ ...delivery });
}

/**
 * Deletes rows that are older than `before`, except open incidents and undelivered notifications that this version can
 * read.
 * @param most maximum number of rows per table, so that a call does not delay a round
 * @returns true if no expired rows remain
 */
export function prune(db: DatabaseSync, before: EpochMs, most: number): boolean {
  const dropped = OLD_ROWS.map((sql) => Number(db.prepare(sql).run(before, most).changes));
  return Math.max(...dropped, dropNotifications(db, before, most)) < most;
}

const OLD_ROWS: readonly string[] = [
  'DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM samples WHERE at < ? ORDER BY at LIMIT ?)',
  `DELETE FROM precondition_states WHERE (precondition, from_at) IN
     (SELECT precondition, from_at FROM precondition_states WHERE until_at < ? LIMIT ?)`,
  // An open incident that is missing from the state never ends, because only another version can read it.
  `DELETE FROM incidents WHERE id IN
     (SELECT id FROM incidents WHERE closed_at < ?1 OR closed_at IS NULL AND opened_at < ?1 AND id NOT IN
       (SELECT value ->> 'id' FROM incident_state s, json_each(iif(json_valid(s.json), s.json, '{}'), '$.incidents')
        WHERE type = 'object')
     LIMIT ?2)`,
  `DELETE FROM certificates WHERE (target, fingerprint) IN
     (SELECT target, fingerprint FROM certificates WHERE last_seen < ? LIMIT ?)`,
  `DELETE FROM figures WHERE (name, subject, at) IN
     (SELECT name, subject, at FROM figures WHERE at < ? ORDER BY at LIMIT ?)`,
  'DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit WHERE at < ? ORDER BY at LIMIT ?)',
  'DELETE FROM refused_changes WHERE sequence IN (SELECT sequence FROM refused_changes WHERE last < ? LIMIT ?)',
];

/** The outbox gives up after five days (`GIVE_UP_AFTER`), so only another version can read older deliveries. */
const LONGEST_PENDING: Millis = 6 * 86_400_000;

/**
 * The limit applies to deliveries, because a notification can have many of them.
 * @returns the number of processed rows
 */
function dropNotifications(db: DatabaseSync, before: EpochMs, most: number): number {
  const rows = db
    .prepare(
      `SELECT n.id, d.sequence FROM notifications n LEFT JOIN deliveries d ON d.notification = n.id
       WHERE n.at < :before AND NOT EXISTS
         (SELECT 1 FROM deliveries p
          WHERE p.notification = n.id AND p.status = 'pending' AND p.created_at >= :before - :pending)
       ORDER BY n.at LIMIT :most`,
    )
    .all({ before, most, pending: LONGEST_PENDING });
  const dropDelivery = db.prepare('DELETE FROM deliveries WHERE sequence = ?');
  for (const { sequence } of rows) if (sequence !== null) dropDelivery.run(Number(sequence));
  const drop = db.prepare(
    'DELETE FROM notifications WHERE id = :id AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notification = :id)',
  );
  for (const id of new Set(rows.map((row) => String(row['id'])))) drop.run({ id });
  return rows.length;
}
