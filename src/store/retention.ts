import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';

/**
 * Deletes what is older than `before`. What is open or undelivered stays.
 * @param most rows of a kind that are deleted at a time, so that a long absence or a shortened retention never holds a round up
 * @returns whether that was all
 */
export function prune(db: DatabaseSync, before: EpochMs, most: number): boolean {
  const samples = db
    .prepare('DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM samples WHERE at < ? ORDER BY at LIMIT ?)')
    .run(before, most);
  db.prepare(
    `DELETE FROM precondition_states WHERE (precondition, from_at) IN
       (SELECT precondition, from_at FROM precondition_states WHERE until_at < ? LIMIT ?)`,
  ).run(before, most);
  db.prepare(
    `DELETE FROM notifications WHERE id IN (SELECT n.id FROM notifications n WHERE n.at < ? AND NOT EXISTS
       (SELECT 1 FROM deliveries d WHERE d.notification = n.id AND d.status = 'pending') LIMIT ?)`,
  ).run(before, most);
  db.prepare('DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < ? LIMIT ?)').run(before, most);
  db.prepare('DELETE FROM certificates WHERE last_seen < ?').run(before);
  db.prepare('DELETE FROM figures WHERE at < ?').run(before);
  return Number(samples.changes) < most;
}
