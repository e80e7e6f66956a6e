import { existsSync, renameSync, statSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock, Millis, EpochMs } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { makeFolder } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';

/** Each entry brings the file from the version of its index to the next one. Never edit one that was released: add. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE incident_state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    json TEXT NOT NULL
  ) STRICT;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY,
    cause TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_by_time ON incidents (opened_at);

  CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX notifications_by_time ON notifications (at);

  CREATE TABLE deliveries (
    sequence INTEGER PRIMARY KEY,
    notification TEXT NOT NULL REFERENCES notifications (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    first_failed_at INTEGER,
    next_attempt_at INTEGER NOT NULL,
    finished_at INTEGER,
    detail TEXT NOT NULL,
    UNIQUE (notification, channel, recipient)
  ) STRICT;
  CREATE INDEX deliveries_pending ON deliveries (sequence) WHERE status = 'pending';

  CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    probe TEXT NOT NULL,
    target TEXT NOT NULL,
    UNIQUE (probe, target)
  ) STRICT;
  CREATE TABLE samples (
    series INTEGER NOT NULL REFERENCES series (id),
    at INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    failure TEXT,
    PRIMARY KEY (series, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX samples_by_time ON samples (at);

  CREATE TABLE precondition_states (
    precondition TEXT NOT NULL,
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (precondition, from_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX precondition_states_by_time ON precondition_states (until_at);

  CREATE TABLE certificates (
    target TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    pem TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (target, fingerprint)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE figures (
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (name, subject, at)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE INDEX figures_by_time ON figures (at);
  `,
  `
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    account TEXT NOT NULL,
    address TEXT,
    refused TEXT,
    cause TEXT,
    subject TEXT,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (at);
  `,
  `
  ALTER TABLE audit ADD COLUMN incident TEXT;
  CREATE INDEX audit_by_incident ON audit (incident) WHERE incident IS NOT NULL;
  CREATE INDEX incidents_by_end ON incidents (closed_at);
  `,
  // Refusals get a space of their own: they pushed out what was changed.
  `
  CREATE TABLE refused_changes (
    sequence INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    minute INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    action TEXT NOT NULL,
    UNIQUE (account, address, minute)
  ) STRICT;
  INSERT INTO refused_changes (account, address, minute, first, last, count, action)
    SELECT account, ifnull(address, ''), at / 60000, min(at), max(at), count(*), max(action)
    FROM audit WHERE refused IS NOT NULL GROUP BY 1, 2, 3;
  DELETE FROM audit WHERE refused IS NOT NULL;
  ALTER TABLE audit DROP COLUMN refused;
  `,
];

/** SQLite waits on the only thread there is: a lock may cost a round this much, once in a while. */
const BUSY_TIMEOUT: Millis = 100;
/** Of the file, kept in memory: it is written all the time and seldom read. */
const CACHE_KIBIBYTES = 512;

/** The file was written by a newer program, and is left alone. */
class NewerStore extends Error {
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
    `"${basename(path)}.version-${known}-…" (docs/install.md)`
  );
}

/**
 * Opens the file and brings it to the version of this program; before that a copy is made of it, so that one can go
 * back.
 * @throws {NewerStore}
 * @throws {Error} of SQLite or of the file system
 */
function connect(path: string, now: EpochMs): DatabaseSync {
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

interface SqliteFailure {
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

export interface DatabaseDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
}

/** A lock is waited for once in so long. */
const RETRY_AFTER: Millis = 5_000;

/**
 * Rows that are kept in memory while the file cannot be written, and are written, in order, as soon as it can be.
 */
export class Backlog<T> {
  readonly #most: number;
  readonly #write: (rows: readonly T[]) => boolean;
  readonly #waiting: T[] = [];

  /**
   * @param most rows that wait; the oldest ones give way
   * @param write keeps all of them, or none and returns false
   */
  constructor(most: number, write: (rows: readonly T[]) => boolean) {
    this.#most = most;
    this.#write = write;
  }

  add(row: T): void {
    this.#waiting.push(row);
    if (this.#waiting.length > this.#most) this.#waiting.shift();
    this.catchUp();
  }

  /** Writes what waits. */
  catchUp(): void {
    if (this.#waiting.length > 0 && this.#write(this.#waiting)) this.#waiting.length = 0;
  }
}

/** A SQLite file that may be locked, full, read-only, corrupt or gone. Nothing here throws. */
export class Database {
  readonly #path: string;
  readonly #deps: DatabaseDeps;
  #db: DatabaseSync | null = null;
  /** Of the file that is open. */
  #identity: string | null = null;
  #failing = false;
  /** By the monotonic clock: until then the file is not tried again. */
  #restsUntil: Millis = Number.NEGATIVE_INFINITY;
  #newer: string | null = null;
  #generation = 0;
  #closed = false;

  constructor(path: string, deps: DatabaseDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  /** Runs `work` as one transaction; false when nothing of it was kept. */
  write(work: (db: DatabaseSync) => void): boolean {
    return this.#write((db) => transaction(db, work));
  }

  /**
   * The same for what may be lost when the power fails, though never in part: it is not waited for the disk, which
   * takes a seventh of the CPU of a round and, on a slow disk, holds everything up.
   */
  writeLazily(work: (db: DatabaseSync) => void): boolean {
    return this.#write((db) => {
      db.exec('PRAGMA synchronous = NORMAL');
      try {
        transaction(db, work);
      } finally {
        db.exec('PRAGMA synchronous = FULL');
      }
    });
  }

  #write(commit: (db: DatabaseSync) => void): boolean {
    const kept = this.#attempt((db) => {
      commit(db);
      return true;
    });
    if (kept === true && this.#failing) {
      this.#failing = false;
      this.#deps.logger.info({ path: this.#path }, 'The history can be written again');
    }
    return kept === true;
  }

  /** Runs `work`, or gives null when the file cannot be read. */
  read<T>(work: (db: DatabaseSync) => T): T | null {
    return this.#attempt(work);
  }

  /** Whether the last write was kept. */
  writable(): boolean {
    return !this.#closed && !this.#failing;
  }

  /** The file is of a newer program and left alone: what to do about it. Null: it is not. */
  newer(): string | null {
    return this.#newer;
  }

  /** Rises whenever another file took the place of the one before: a corrupt one was set aside, or it was deleted. */
  generation(): number {
    this.#giveUpWhatIsGone();
    return this.#generation;
  }

  /** Tries the file with the next operation, also right after a failure: for what must be written now or never. */
  retryNow(): void {
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  /** Twice, since a corrupt file is set aside after the first failure and the second try begins the new one. */
  #attempt<T>(work: (db: DatabaseSync) => T): T | null {
    for (let tries = 0; tries < 2; tries += 1) {
      if (this.#closed || this.#rests()) return null;
      try {
        return work(this.#connected());
      } catch (error) {
        this.#fail(error);
      }
    }
    return null;
  }

  /** SQLite goes on writing into a file that was deleted or replaced, which nobody will read again. */
  #giveUpWhatIsGone(): void {
    if (this.#db === null || identityOf(this.#path) === this.#identity) return;
    this.#disconnect();
    this.#generation += 1;
    this.#deps.logger.warn(
      { path: this.#path },
      'The history file is not in its place any more: another one is begun or taken',
    );
  }

  #connected(): DatabaseSync {
    this.#giveUpWhatIsGone();
    this.#db ??= connect(this.#path, this.#deps.clock.now());
    this.#newer = null;
    this.#identity ??= identityOf(this.#path);
    return this.#db;
  }

  /**
   * After a failure the file is left alone for a while: waiting for a lock again and again would hold everything up.
   */
  #rests(): boolean {
    return this.#deps.clock.elapsed() < this.#restsUntil;
  }

  #fail(error: unknown): void {
    const failure = sqliteFailure(error);
    if (error instanceof NewerStore) this.#newer = error.message;
    if (!this.#failing) {
      this.#deps.logger.warn(
        { path: this.#path, error: failure.message },
        'Cannot use the history file: monitoring and alerts go on without it',
      );
    }
    this.#failing = true;
    this.#restsUntil = this.#deps.clock.elapsed() + RETRY_AFTER;
    if (failure.kind === 'corrupt') this.#setAside();
  }

  #setAside(): void {
    this.#disconnect();
    const { clock, logger } = this.#deps;
    const path = this.#path;
    const aside = `${path}.corrupt-${new Date(clock.now()).toISOString().replaceAll(':', '')}`;
    try {
      for (const suffix of ['', '-wal', '-shm'])
        if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
      logger.warn({ path, aside }, 'The history file was corrupt: it was set aside and a new one is begun');
      this.#failing = false;
      this.#restsUntil = Number.NEGATIVE_INFINITY;
      this.#generation += 1;
    } catch (error) {
      logger.warn(
        { path, aside, error: sqliteFailure(error).message },
        'The history file is corrupt and cannot be set aside',
      );
    }
  }

  #disconnect(): void {
    try {
      this.#db?.close();
    } catch {
      // Its file is given up anyway.
    }
    this.#db = null;
    this.#identity = null;
  }
}

/** Tells one file from another at the same path; null: there is none. */
function identityOf(path: string): string | null {
  const file = statSync(path, { throwIfNoEntry: false });
  return file === undefined ? null : `${String(file.dev)}:${String(file.ino)}`;
}

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
