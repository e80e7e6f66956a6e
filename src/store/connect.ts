import { closeSync, constants, openSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { EpochMs, Millis } from '../core/clock.ts';
import { makeFolder } from '../system/make-folder.ts';
import { messageOf } from '../text/message-of.ts';
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
    const version = refuseNewer(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;
             PRAGMA secure_delete = OFF; PRAGMA cache_size = -${String(CACHE_KIBIBYTES)};`);
    if (version < MIGRATIONS.length) migrate(db, path, now);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Why the daemon could not use the file; null: it can. Creates and changes nothing, so it is for a store that no daemon
 * uses: what one has not yet moved into the file is not seen.
 */
export function connectProblem(path: string): string | null {
  try {
    tryToWrite(path);
    return null;
  } catch (error) {
    return `Cannot use the history file "${path}": ${messageOf(error)}`;
  }
}

function tryToWrite(path: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    tryToMakeFileIn(nearestFolder(folder));
    return;
  }
  tryToMakeFileIn(folder);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  closeSync(openSync(path, 'r+'));
  // With its usual locks SQLite would make files beside it.
  const url = pathToFileURL(resolve(path));
  url.search = 'immutable=1';
  using db = new DatabaseSync(url, { readOnly: true });
  refuseNewer(db, path);
}

function nearestFolder(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined && dirname(path) !== path
    ? nearestFolder(dirname(path))
    : path;
}

/** O_TMPFILE of Linux, which Node does not name: a file without a name, which is gone when it is closed. */
const UNNAMED = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;

/** @throws {Error} when no file can be made there; nothing is said where the file system has no such files */
function tryToMakeFileIn(folder: string): void {
  try {
    closeSync(openSync(folder, UNNAMED, 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EPERM') throw error;
  }
}

/** @throws {NewerStore} */
function refuseNewer(db: DatabaseSync, path: string): number {
  const version = versionOf(db);
  if (version > MIGRATIONS.length) throw new NewerStore(path, version);
  return version;
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
