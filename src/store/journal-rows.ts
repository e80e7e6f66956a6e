import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import { ALL_TIME, type Period } from '../core/period.ts';
import { firstOccurrence, type Incident } from '../engine/incident/incident.ts';
import type { Delivery, OutboxEntry } from '../engine/incident/journal.ts';
import { incidentsOf } from '../engine/incident/notification.ts';
import { CHANNEL_IDS } from '../notify/channels/registry.ts';
import { boundsOf } from './history-rows.ts';
import { parseNotification, parseState, type SavedState } from './saved-state.ts';

const deliveryRow: z.ZodType<Delivery> = z.object({
  notificationId: z.string(),
  channel: z.literal(CHANNEL_IDS),
  recipient: z.string(),
  status: z.literal(['pending', 'sent', 'rejected', 'expired', 'withdrawn']),
  createdAt: z.number(),
  attempts: z.number(),
  firstFailedAt: z.number().nullable(),
  nextAttemptAt: z.number(),
  finishedAt: z.number().nullable(),
  detail: z.string(),
});

const COLUMNS = `d.sequence, d.notification AS notificationId, d.channel, d.recipient, d.status,
  d.created_at AS createdAt, d.attempts, d.first_failed_at AS firstFailedAt, d.next_attempt_at AS nextAttemptAt,
  d.finished_at AS finishedAt,
  d.detail, n.json`;

export function readState(db: DatabaseSync): SavedState | null {
  const json = db.prepare('SELECT json FROM incident_state').get()?.['json'];
  return typeof json === 'string' ? parseState(json) : null;
}

export interface Pending {
  /** Oldest first. */
  readonly outboxEntries: readonly OutboxEntry[];
  /**
   * How many deliveries of another version there are: of an unknown channel, or about an unknown cause. They are kept,
   * and not sent.
   */
  readonly unread: number;
}

export function readPending(db: DatabaseSync): Pending {
  const rows = select(db, "WHERE d.status = 'pending' ORDER BY d.sequence LIMIT 5000");
  const read = rows.flatMap(outboxEntryOf);
  return { outboxEntries: read, unread: rows.length - read.length };
}

/** Gives up what is pending since before `before` and cannot be read: nobody else would end it. */
export function expireUnread(db: DatabaseSync, before: EpochMs, most: number): void {
  const rows = select(db, "WHERE d.status = 'pending' AND d.created_at < ? ORDER BY d.sequence LIMIT ?", before, most);
  const expire = db.prepare("UPDATE deliveries SET status = 'expired' WHERE sequence = ?");
  for (const columns of rows) if (outboxEntryOf(columns).length === 0) expire.run(Number(columns['sequence']));
}

/** What was given up last, oldest first. */
export function readGivenUp(db: DatabaseSync): readonly OutboxEntry[] {
  const rows = select(db, "WHERE d.status IN ('rejected', 'expired') ORDER BY d.sequence DESC LIMIT 500");
  return rows.flatMap(outboxEntryOf).toReversed();
}

/** Of rows of `deliveries`, by `boundsOf`. */
export const CREATED_WITHIN = 'created_at >= :since AND created_at <= :until';

/** The deliveries that were created in the period, latest first. */
export function readDeliveries(db: DatabaseSync, limit: number, period: Period = ALL_TIME): readonly OutboxEntry[] {
  const sql =
    `SELECT ${COLUMNS} FROM deliveries d JOIN notifications n ON n.id = d.notification ` +
    `WHERE ${CREATED_WITHIN} ORDER BY d.sequence DESC LIMIT :limit`;
  return db
    .prepare(sql)
    .all({ ...boundsOf(period), limit })
    .flatMap(outboxEntryOf);
}

/** What was to be told of one incident, by itself or in a digest, latest first. */
export function readDeliveriesAbout(db: DatabaseSync, incident: Incident, limit: number): readonly OutboxEntry[] {
  const { id, closedAt } = incident;
  const until = (closedAt ?? Number.MAX_SAFE_INTEGER - DIGEST_WAITS) + DIGEST_WAITS;
  const rows = select(
    db,
    // What tells of one alone is named by it, a full stop and a number; "/" is what follows the full stop.
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

/** An end that the hourly limit held back comes later. */
const DIGEST_WAITS: Millis = 86_400_000;

type Columns = ReturnType<StatementSync['all']>[number];

function select(db: DatabaseSync, rest: string, ...values: readonly (number | string)[]): readonly Columns[] {
  return db
    .prepare(`SELECT ${COLUMNS} FROM deliveries d JOIN notifications n ON n.id = d.notification ${rest}`)
    .all(...values);
}

/** None when it is of another version. */
function outboxEntryOf(columns: Columns): readonly OutboxEntry[] {
  const delivery = deliveryRow.safeParse(columns);
  const notification = typeof columns['json'] === 'string' ? parseNotification(columns['json']) : null;
  return delivery.success && notification !== null ? [{ delivery: delivery.data, notification }] : [];
}
