import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import { expireUnread } from './journal-rows.ts';
import { parseIncident } from './saved-state.ts';

/**
 * Deletes what is older than `before`. What is open or undelivered stays, unless another version wrote it, so that this
 * one cannot end it.
 * @param most rows of a kind that are deleted at a time, so that a long absence or a shortened retention never holds a
 * round up
 * @returns whether that was all
 */
export function prune(db: DatabaseSync, before: EpochMs, most: number): boolean {
  const samples = db
    .prepare(
      'DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM samples WHERE at < ? ORDER BY at LIMIT ?)',
    )
    .run(before, most);
  db.prepare(
    `DELETE FROM precondition_states WHERE (precondition, from_at) IN
       (SELECT precondition, from_at FROM precondition_states WHERE until_at < ? LIMIT ?)`,
  ).run(before, most);
  expireUnread(db, before, most);
  db.prepare(
    `DELETE FROM notifications WHERE id IN (SELECT n.id FROM notifications n WHERE n.at < ? AND NOT EXISTS
       (SELECT 1 FROM deliveries d WHERE d.notification = n.id AND d.status = 'pending') LIMIT ?)`,
  ).run(before, most);
  db.prepare('DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < ? LIMIT ?)').run(
    before,
    most,
  );
  dropUnreadIncidents(db, before, most);
  db.prepare('DELETE FROM certificates WHERE last_seen < ?').run(before);
  db.prepare('DELETE FROM figures WHERE at < ?').run(before);
  db.prepare('DELETE FROM audit WHERE at < ?').run(before);
  return Number(samples.changes) < most;
}

function dropUnreadIncidents(db: DatabaseSync, before: EpochMs, most: number): void {
  const open = db
    .prepare('SELECT id, json FROM incidents WHERE closed_at IS NULL AND opened_at < ? LIMIT ?')
    .all(before, most);
  const drop = db.prepare('DELETE FROM incidents WHERE id = ?');
  for (const { id, json } of open) if (typeof id === 'string' && parseIncident(String(json)) === null) drop.run(id);
}
