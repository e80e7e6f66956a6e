import { existsSync, renameSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock, Millis } from '../core/clock.ts';
import type { OperatorLog } from '../system/operator-log.ts';
import { connect, NewerStore } from './connect.ts';
import { sqliteFailure } from './sqlite-failure.ts';
import { transaction } from './transaction.ts';

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
