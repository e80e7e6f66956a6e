import { existsSync, renameSync, statSync, closeSync, constants, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock, Millis, EpochMs } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { makeFolder } from '../system/json-file.ts';
import { messageOf } from '../text/message-of.ts';

/** The entry at index `n` upgrades version `n` to `n + 1`. Never edit a released entry. Append a new one. */
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
  // Refusals displaced changes in the audit table.
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
  // Three fields of an incident are stored under other names, which earlier versions cannot read.
  '',
];

/** Kept short, because SQLite blocks the only thread while it waits, which can delay a round. */
const BUSY_TIMEOUT: Millis = 100;

class NewerStore extends Error {
  constructor(path: string, version: number) {
    super(newerMessage(path, version));
    this.name = 'NewerStore';
  }
}

export function newerMessage(path: string, version: number): string {
  const known = String(MIGRATIONS.length);
  return (
    `The history has version ${String(version)}, but this ftm-watch supports ${known}. The file was not changed. ` +
    'Start the newer ftm-watch again, or restore the copy from before the upgrade, ' +
    `"${basename(path)}.version-${known}-…" (docs/install.md)`
  );
}

/** Returns a message if the store is from a newer version. Null for other stores, and if the store cannot be read. */
export function newerStoreAt(path: string): string | null {
  try {
    using db = openReadOnly(path);
    const version = versionOf(db);
    return version > MIGRATIONS.length ? newerMessage(path, version) : null;
  } catch {
    return null;
  }
}

/**
 * Opens the database and upgrades it. Makes a copy before the upgrade, to allow a rollback.
 * @throws {NewerStore} if the database is from a newer version
 * @throws {Error} from SQLite or the file system
 */
function connect(path: string, now: EpochMs): DatabaseSync {
  makeFolder(dirname(path), 0o700);
  // SQLite gives its additional files the same permissions.
  closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT });
  try {
    const version = refuseNewer(db, path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;
             PRAGMA secure_delete = OFF;`);
    if (version < MIGRATIONS.length) migrate(db, path, now);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Returns the reason why the daemon could not use the database, or null. Does not create or change any file. Must not
 * be used while a daemon uses the database, because the write-ahead log is ignored.
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
    tryToMakeFolder(folder);
    return;
  }
  tryToMakeFileIn(folder);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  closeSync(openSync(path, 'r+'));
  // Opened as immutable, because SQLite would otherwise create additional files.
  const url = pathToFileURL(resolve(path));
  url.search = 'immutable=1';
  using db = new DatabaseSync(url, { readOnly: true });
  refuseNewer(db, path);
}

/** @throws {Error} with the folder that cannot be created */
function tryToMakeFolder(folder: string): void {
  const parent = nearestFolder(folder);
  try {
    tryToMakeFileIn(parent);
  } catch (error) {
    throw new Error(
      `the folder "${folder}" does not exist and cannot be created in "${parent}" (${messageOf(error)})`,
      { cause: error },
    );
  }
}

function nearestFolder(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined && dirname(path) !== path
    ? nearestFolder(dirname(path))
    : path;
}

/**
 * O_TMPFILE on Linux, for which Node does not define a constant. Creates an unnamed file that disappears when it is
 * closed.
 */
const UNNAMED = 0o20000000 | constants.O_DIRECTORY | constants.O_RDWR;

/**
 * Does nothing if the file system does not support unnamed files.
 * @throws {Error} if no file can be created
 */
function tryToMakeFileIn(folder: string): void {
  try {
    closeSync(openSync(folder, UNNAMED, 0o600));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EPERM') throw error;
  }
}

/** @throws {NewerStore} if the database is from a newer version */
function refuseNewer(db: DatabaseSync, path: string): number {
  const version = versionOf(db);
  if (version > MIGRATIONS.length) throw new NewerStore(path, version);
  return version;
}

/** Long enough for a running daemon to complete a checkpoint. */
const READER_TIMEOUT: Millis = 1_000;

export function openReadOnly(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true, timeout: READER_TIMEOUT });
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

/** If copying fails, the database is not upgraded, because a rollback would be impossible. */
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
   * `busy`: another process or connection holds a lock. `corrupt`: damaged, or not a database. `other`: for example,
   * the disk is full or access is denied.
   */
  readonly kind: 'busy' | 'corrupt' | 'other';
  readonly message: string;
}

/**
 * Primary result codes SQLITE_BUSY, SQLITE_CORRUPT and SQLITE_NOTADB, as found in the low byte
 * (https://sqlite.org/rescode.html).
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

/** The database is not used for this time after a failure, to avoid repeated waits for a lock. */
const RETRY_AFTER: Millis = 5_000;

/**
 * A SQLite database whose methods do not throw, even if the file is locked, read-only, corrupt or missing, or if the
 * disk is full.
 */
export class Database {
  readonly #path: string;
  readonly #deps: DatabaseDeps;
  #db: DatabaseSync | null = null;
  /** Used to detect whether the file was replaced. */
  #identity: string | null = null;
  /** Null if the last use succeeded. */
  #failure: string | null = null;
  /** Monotonic. */
  #restsUntil: Millis = Number.NEGATIVE_INFINITY;
  #newer: string | null = null;
  #onNewFile: () => void = () => undefined;
  #closed = false;

  constructor(path: string, deps: DatabaseDeps) {
    this.#path = path;
    this.#deps = deps;
  }

  /** Runs `work` in a transaction. Returns false if nothing was stored. */
  write(work: (db: DatabaseSync) => void): boolean {
    return this.#write((db) => transaction(db, work));
  }

  /**
   * Does not wait for the disk, so a power failure can lose the whole transaction, but never part of it. Waiting would
   * take a seventh of a round's CPU time, and would block the process if the disk is slow.
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
    if (kept === true && this.#failure !== null) {
      this.#failure = null;
      this.#deps.logger.info({ event: 'history-writable', path: this.#path }, 'The history can be written again');
    }
    return kept === true;
  }

  /** Returns null if the file cannot be read. */
  read<T>(work: (db: DatabaseSync) => T): T | null {
    return this.#attempt(work);
  }

  /** Returns whether the last write succeeded. */
  writable(): boolean {
    return !this.#closed && this.#failure === null;
  }

  /** Returns why the file cannot be used, or null. */
  failure(): string | null {
    return this.#failure;
  }

  /** Returns a message with advice if the file is from a newer version and therefore not used. */
  newer(): string | null {
    return this.#newer;
  }

  /** Calls `listener` whenever a new file replaces one that was corrupt or deleted, before it is written. */
  onNewFile(listener: () => void): void {
    this.#onNewFile = listener;
  }

  /** Used for data that cannot be written later. The next operation uses the file even after a failure. */
  retryNow(): void {
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  /** If the file is corrupt, renames it and tries again with a new file. */
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

  /** If the file was deleted, SQLite would continue to write to it. */
  closeIfReplaced(): void {
    if (this.#db === null || identityOf(this.#path) === this.#identity) return;
    this.#disconnect();
    this.#onNewFile();
    this.#deps.logger.warn(
      { event: 'history-replaced', path: this.#path },
      'The history file was removed or replaced. ftm-watch uses the new file, or creates one',
    );
  }

  #connected(): DatabaseSync {
    this.closeIfReplaced();
    this.#db ??= connect(this.#path, this.#deps.clock.now());
    this.#newer = null;
    this.#identity ??= identityOf(this.#path);
    return this.#db;
  }

  #rests(): boolean {
    return this.#deps.clock.elapsed() < this.#restsUntil;
  }

  #fail(error: unknown): void {
    const failure = sqliteFailure(error);
    if (error instanceof NewerStore) this.#newer = error.message;
    if (this.#failure === null) {
      this.#deps.logger.warn(
        { event: 'history-unusable', path: this.#path, error: failure.message },
        'Cannot use the history file. Monitoring and alerts continue without it',
      );
    }
    this.#failure = failure.message;
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
      logger.warn(
        { event: 'history-corrupt', path, aside },
        'The history file was corrupt. It was renamed, and a new file is created',
      );
      this.#failure = null;
      this.#restsUntil = Number.NEGATIVE_INFINITY;
      this.#onNewFile();
    } catch (error) {
      logger.warn(
        { event: 'history-corrupt', path, aside, error: sqliteFailure(error).message },
        'The history file is corrupt and cannot be renamed',
      );
    }
  }

  #disconnect(): void {
    try {
      this.#db?.close();
    } catch {
      // Errors are ignored, because the file is no longer used.
    }
    this.#db = null;
    this.#identity = null;
  }
}

/** Null if there is no file. */
function identityOf(path: string): string | null {
  const file = statSync(path, { throwIfNoEntry: false });
  return file === undefined ? null : `${String(file.dev)}:${String(file.ino)}`;
}

/** If `work` throws, nothing is stored. */
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
