import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import { expireUnread } from './journal-rows.ts';
import { parseIncident } from './saved-state.ts';

/**
 * Deletes what is older than `before`. What is open or undelivered stays, unless another version wrote it, so that this
 * one cannot end it.
 * @param most rows of a table that are deleted at a time, so that a long absence or a shortened retention never holds a
 * round up
 * @returns whether that was all
 */
export function prune(db: DatabaseSync, before: EpochMs, most: number): boolean {
  expireUnread(db, before, most);
  dropUnreadIncidents(db, before, most);
  const dropped = OLD_ROWS.map((sql) => Number(db.prepare(sql).run(before, most).changes));
  return Math.max(...dropped, dropNotifications(db, before, most)) < most;
}

const OLD_ROWS: readonly string[] = [
  'DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM samples WHERE at < ? ORDER BY at LIMIT ?)',
  `DELETE FROM precondition_states WHERE (precondition, from_at) IN
     (SELECT precondition, from_at FROM precondition_states WHERE until_at < ? LIMIT ?)`,
  'DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < ? LIMIT ?)',
  `DELETE FROM certificates WHERE (target, fingerprint) IN
     (SELECT target, fingerprint FROM certificates WHERE last_seen < ? LIMIT ?)`,
  `DELETE FROM figures WHERE (name, subject, at) IN
     (SELECT name, subject, at FROM figures WHERE at < ? ORDER BY at LIMIT ?)`,
  'DELETE FROM audit WHERE sequence IN (SELECT sequence FROM audit WHERE at < ? ORDER BY at LIMIT ?)',
  'DELETE FROM refused_changes WHERE sequence IN (SELECT sequence FROM refused_changes WHERE last < ? LIMIT ?)',
];

/**
 * With their deliveries, of which one notification may have many: these are counted.
 * @returns how many deliveries, and notifications without one, were looked at
 */
function dropNotifications(db: DatabaseSync, before: EpochMs, most: number): number {
  const rows = db
    .prepare(
      `SELECT n.id, d.sequence FROM notifications n LEFT JOIN deliveries d ON d.notification = n.id
       WHERE n.at < ? AND NOT EXISTS
         (SELECT 1 FROM deliveries p WHERE p.notification = n.id AND p.status = 'pending')
       ORDER BY n.at LIMIT ?`,
    )
    .all(before, most);
  const dropDelivery = db.prepare('DELETE FROM deliveries WHERE sequence = ?');
  for (const { sequence } of rows) if (sequence !== null) dropDelivery.run(Number(sequence));
  const drop = db.prepare(
    'DELETE FROM notifications WHERE id = :id AND NOT EXISTS (SELECT 1 FROM deliveries WHERE notification = :id)',
  );
  for (const id of new Set(rows.map((row) => String(row['id'])))) drop.run({ id });
  return rows.length;
}

function dropUnreadIncidents(db: DatabaseSync, before: EpochMs, most: number): void {
  const open = db
    .prepare('SELECT id, json FROM incidents WHERE closed_at IS NULL AND opened_at < ? LIMIT ?')
    .all(before, most);
  const drop = db.prepare('DELETE FROM incidents WHERE id = ?');
  for (const { id, json } of open) if (typeof id === 'string' && parseIncident(String(json)) === null) drop.run(id);
}
