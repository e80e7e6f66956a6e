import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';

/** So that a long absence or a shortened retention never holds a round up: the rest goes with the next calls. */
const MAX_ROWS = 2_000;

/** Deletes what is older than `before`, a bounded number of rows at a time. What is open or undelivered stays. */
export function prune(db: DatabaseSync, before: EpochMs): void {
  db.prepare('DELETE FROM samples WHERE (series, at) IN (SELECT series, at FROM samples WHERE at < ? ORDER BY at LIMIT ?)').run(
    before,
    MAX_ROWS,
  );
  db.prepare(
    `DELETE FROM precondition_states WHERE (precondition, from_at) IN
       (SELECT precondition, from_at FROM precondition_states WHERE until_at < ? LIMIT ?)`,
  ).run(before, MAX_ROWS);
  db.prepare(
    `DELETE FROM notifications WHERE id IN (SELECT n.id FROM notifications n WHERE n.at < ? AND NOT EXISTS
       (SELECT 1 FROM deliveries d WHERE d.notification = n.id AND d.status = 'pending') LIMIT ?)`,
  ).run(before, MAX_ROWS);
  db.prepare('DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_at < ? LIMIT ?)').run(before, MAX_ROWS);
  db.prepare('DELETE FROM certificates WHERE last_seen < ?').run(before);
  db.prepare('DELETE FROM figures WHERE at < ?').run(before);
}
