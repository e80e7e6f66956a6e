import { closeSync, openSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { EpochMs, Millis } from '../core/clock.ts';
import { makeFolder } from '../system/make-folder.ts';
import { MIGRATIONS } from './migrations.ts';
import { transaction } from './transaction.ts';

/** SQLite waits on the only thread there is: a lock may cost a round this much, once in a while. */
const BUSY_TIMEOUT: Millis = 100;
/** Of the file, kept in memory: it is written all the time and seldom read. */
const CACHE_KIBIBYTES = 512;

/** The file was written by a newer program, and is left alone. */
export class NewerStore extends Error {
  constructor(path: string, version: number) {
    super(newerMessage(path, version));
    this.name = 'NewerStore';
  }
}

/** What to do about a file of a newer version, for a person. */
export function newerMessage(path: string, version: number): string {
  const known = String(MIGRATIONS.length);
  return (
    `The history is of version ${String(version)}, and this ftm-watch knows ${known}: it is left alone. Start ` +
    'the newer ftm-watch again, or put back the copy from before the upgrade, ' +
    `"${basename(path)}.version-${known}-…" (docs/operate.md)`
  );
}

/**
 * Opens the file and brings it to the version of this program; before that a copy is made of it, so that one can go
 * back.
 * @throws {NewerStore}
 * @throws {Error} of SQLite or of the file system
 */
export function connect(path: string, now: EpochMs): DatabaseSync {
  makeFolder(dirname(path), 0o700);
  // What it holds is nobody else's business, and SQLite gives its other files the same rights.
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    const version = versionOf(db);
    if (version > MIGRATIONS.length) throw new NewerStore(path, version);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;
             PRAGMA secure_delete = OFF; PRAGMA cache_size = -${String(CACHE_KIBIBYTES)};`);
    if (version < MIGRATIONS.length) migrate(db, path, now);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function migrate(db: DatabaseSync, path: string, now: EpochMs): void {
  const from = versionOf(db);
  if (from > 0) copyTo(db, `${path}.version-${String(from)}-${new Date(now).toISOString().replaceAll(':', '')}`);
  transaction(db, () => {
    for (const sql of MIGRATIONS.slice(from)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${String(MIGRATIONS.length)}`);
  });
}

/** Without a copy nothing is changed: there would be no way back. */
function copyTo(db: DatabaseSync, copy: string): void {
  closeSync(openSync(copy, 'wx', 0o600));
  try {
    db.prepare('VACUUM INTO ?').run(copy);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
}
