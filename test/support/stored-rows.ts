import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';

/** What another process finds in the file of a store. */
export function storedRows(path: string, sql: string): readonly Readonly<Record<string, SQLOutputValue>>[] {
  using db = new DatabaseSync(path, { readOnly: true });
  return db
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

/** Of the TLS probe, oldest first. */
export const TLS_SAMPLES = `SELECT at, duration_ms, failure FROM samples
  WHERE series = (SELECT id FROM series WHERE probe = 'tls' AND target = 'host:443') ORDER BY at`;
