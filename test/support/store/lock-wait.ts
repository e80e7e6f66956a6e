import { DatabaseSync } from 'node:sqlite';

/** As the store waits for each lock. */
const WAIT_MS = 100;

export function msOf(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

/** Returns how long one wait for the lock of a file takes at the moment. The file must be locked. */
export function msOfWait(path: string): number {
  using db = new DatabaseSync(path, { timeout: WAIT_MS });
  return msOf(() => {
    try {
      db.exec('BEGIN IMMEDIATE');
    } catch {
      return;
    }
    throw new Error('The file is not locked');
  });
}
