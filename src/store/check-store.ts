import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { EpochMs, Millis } from '../core/clock.ts';
import { versionOf } from './connect.ts';
import { MIGRATIONS } from './migrations.ts';
import { sqliteFailure } from './sqlite-failure.ts';

export type CheckedStore =
  | { readonly kind: 'missing' }
  /** Locked, or not for this user. */
  | { readonly kind: 'unreadable'; readonly message: string }
  /** What SQLite finds wrong, a line each. */
  | { readonly kind: 'damaged'; readonly problems: readonly string[] }
  | WholeStore;

export interface WholeStore {
  readonly kind: 'whole';
  readonly version: number;
  /** Of this program: an older store is upgraded by the daemon, a newer one left alone. */
  readonly knownVersion: number;
  readonly bytes: number;
  readonly incidents: number;
  /** Deliveries that are still on their way. */
  readonly pending: number;
  /** Of the latest sample; null: there is none. */
  readonly lastSampleAt: EpochMs | null;
}

const BUSY_TIMEOUT: Millis = 1_000;
const MAX_PROBLEMS = 20;

/** Looks through a whole store, of a daemon that runs or a copy, and changes nothing in it. Throws nothing. */
export function checkStore(path: string): CheckedStore {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined) return { kind: 'missing' };
    using db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
    const problems = problemsIn(db);
    return problems.length > 0 ? { kind: 'damaged', problems } : { kind: 'whole', bytes: file.size, ...contentOf(db) };
  } catch (error) {
    const { kind, message } = sqliteFailure(error);
    return kind === 'corrupt' ? { kind: 'damaged', problems: [message] } : { kind: 'unreadable', message };
  }
}

function problemsIn(db: DatabaseSync): readonly string[] {
  const found = db.prepare(`PRAGMA integrity_check(${String(MAX_PROBLEMS)})`).all();
  const texts = found.map((row) => String(row['integrity_check'])).filter((text) => text !== 'ok');
  const orphans = db.prepare('PRAGMA foreign_key_check').all();
  return [
    ...texts,
    ...orphans.slice(0, MAX_PROBLEMS).map(({ table }) => `a row of ${String(table)} refers to nothing`),
  ];
}

function contentOf(db: DatabaseSync): Omit<WholeStore, 'kind' | 'bytes'> {
  const one = (sql: string): unknown => db.prepare(sql).get()?.['value'];
  const lastSampleAt = one('SELECT max(at) AS value FROM samples');
  return {
    version: versionOf(db),
    knownVersion: MIGRATIONS.length,
    incidents: Number(one('SELECT count(*) AS value FROM incidents')),
    pending: Number(one("SELECT count(*) AS value FROM deliveries WHERE status = 'pending'")),
    lastSampleAt: typeof lastSampleAt === 'number' ? lastSampleAt : null,
  };
}
