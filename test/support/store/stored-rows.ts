import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

/** Returns the rows that another process finds in a store's file. */
export function storedRows(path: string, sql: string): readonly Readonly<Record<string, SQLOutputValue>>[] {
  using db = new DatabaseSync(path, { readOnly: true });
  return db
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

/** Samples of the TLS probe, oldest first. */
export const TLS_SAMPLES = `SELECT at, duration_ms, failure FROM samples
  WHERE series = (SELECT id FROM series WHERE probe = 'tls' AND target = 'host:443') ORDER BY at`;
