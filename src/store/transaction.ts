import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` so that all of it is kept, or, when it throws, nothing. */
export function transaction(db: DatabaseSync, work: (db: DatabaseSync) => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work(db);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
