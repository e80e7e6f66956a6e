export interface SqliteFailure {
  /** `corrupt`: the file is no database, or a damaged one; `other`: locked, full, read-only, no permission. */
  readonly kind: 'corrupt' | 'other';
  readonly message: string;
}

/** SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html); the low byte is the primary code. */
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

export function sqliteFailure(error: unknown): SqliteFailure {
  if (!(error instanceof Error)) return { kind: 'other', message: 'unknown error' };
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
  return { kind: code === CORRUPT || code === NOT_A_DATABASE ? 'corrupt' : 'other', message: error.message };
}
