export interface SqliteFailure {
  /** `corrupt`: the file is no database, or a damaged one; `other`: locked, full, read-only, no permission. */
  readonly kind: 'corrupt' | 'other';
  readonly message: string;
}

/**
 * SQLITE_BUSY, SQLITE_CORRUPT and SQLITE_NOTADB (https://sqlite.org/rescode.html); the low byte is the primary code.
 */
const BUSY = 5;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

export function sqliteFailure(error: unknown): SqliteFailure {
  if (!(error instanceof Error)) return { kind: 'other', message: 'unknown error' };
  const code = codeOf(error);
  return { kind: code === CORRUPT || code === NOT_A_DATABASE ? 'corrupt' : 'other', message: error.message };
}

/** Another process, or another connection of this one, holds a lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && codeOf(error) === BUSY;
}

function codeOf(error: Error): number | null {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}
