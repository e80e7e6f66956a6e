export interface SqliteFailure {
  /**
   * `busy`: another process, or another connection of this one, holds a lock. `corrupt`: the file is no database, or a
   * damaged one. `other`: full, read-only, no permission.
   */
  readonly kind: 'busy' | 'corrupt' | 'other';
  readonly message: string;
}

/**
 * SQLITE_BUSY, SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html); the low byte is the primary code.
 */
const KINDS: ReadonlyMap<number, SqliteFailure['kind']> = new Map([
  [5, 'busy'],
  [11, 'corrupt'],
  [26, 'corrupt'],
]);

export function sqliteFailure(error: unknown): SqliteFailure {
  if (!(error instanceof Error)) return { kind: 'other', message: 'unknown error' };
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
  return { kind: KINDS.get(code) ?? 'other', message: error.message };
}
