import { readFileSync, readlinkSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqliteFailure } from './database.ts';
import { makeFolder } from '../system/json-file.ts';
import type { OperatorLog } from '../system/operator-log.ts';

/** The kernel releases the lock when the process ends for any reason. */
export interface StoreLock {
  release(): void;
}

/**
 * Two daemons with the same store would send each notification twice. The lock is a SQLite lock on a separate empty
 * file, so that other processes can still read the store. If the lock file cannot be created, the store cannot be
 * written either, and the daemon continues without both.
 * @throws {Error} with the process that holds the lock
 */
export function lockStore(path: string, logger: OperatorLog): StoreLock {
  try {
    makeFolder(dirname(path), 0o700);
    return withPrivateFiles(() => hold(pathWithoutLinks(path)));
  } catch (error) {
    const { kind, message } = sqliteFailure(error);
    if (kind === 'busy') throw new Error(heldMessage(path), { cause: error });
    logger.warn(
      { event: 'history-not-locked', path, error: message },
      'Cannot lock the history file. Make sure that no other daemon is using it',
    );
    return { release: () => undefined };
  }
}

/** A second path to the same store must not have a second lock. */
function pathWithoutLinks(path: string): string {
  // Throws if the links are circular.
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path);
  const target = targetOf(path);
  return target === null ? join(realpathSync(dirname(path)), basename(path)) : pathWithoutLinks(target);
}

/** The link's target is created with the store. Returns null if the path is not a link. */
function targetOf(path: string): string | null {
  try {
    return resolve(dirname(path), readlinkSync(path));
  } catch {
    return null;
  }
}

/** SQLite creates the lock file with the permissions that the umask allows. */
function withPrivateFiles<T>(work: () => T): T {
  const umask = process.umask(0o077);
  try {
    return work();
  } finally {
    process.umask(umask);
  }
}

/**
 * The process ID is not in the lock file, because only SQLite is allowed to open that file. POSIX releases all of a
 * process's locks on a file when the process closes any descriptor for it.
 */
function holderFile(path: string): string {
  return `${path}.holder`;
}

function hold(path: string): StoreLock {
  const holder = holderFile(path);
  const db = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    // Without a journal file, nothing is written, so it works even if the disk is full.
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw error;
  }
  ifPossible(() => writeFileSync(holder, `process ${String(process.pid)} on ${hostname()}\n`, { mode: 0o600 }));
  return {
    release: () => {
      ifPossible(() => rmSync(holder, { force: true }));
      db.close();
    },
  };
}

/** The lock must also work on a disk that is full or has become read-only. */
function ifPossible(work: () => void): void {
  try {
    work();
  } catch {
    // The process is then not named in messages.
  }
}

function heldMessage(path: string): string {
  return (
    `Cannot use the store "${path}": ${holderOf(path)} is using it, and two daemons would send each ` +
    'notification twice. Stop the other daemon, or set a different store.path for this daemon'
  );
}

function holderOf(path: string): string {
  const holder = readHolder(path);
  return holder === null ? 'another process' : `process ${holder.process} on ${holder.machine}`;
}

/** Null if no process is recorded. */
export function holderProcess(path: string): number | null {
  const holder = readHolder(path);
  return holder === null ? null : Number(holder.process);
}

function readHolder(path: string): { readonly process: string; readonly machine: string } | null {
  try {
    const text = readFileSync(holderFile(pathWithoutLinks(path)), 'utf8');
    const { process = null, machine = null } =
      /^process (?<process>\d{1,10}) on (?<machine>[\w.-]{1,255})$/mu.exec(text)?.groups ?? {};
    return process === null || machine === null ? null : { process, machine };
  } catch {
    return null;
  }
}
