import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import {
  AUDIT_ACTIONS,
  type AuditEntry,
  type KeptAuditEntry,
  type RefusedChange,
  type RefusedChanges,
} from '../core/audit.ts';
import type { Database } from './database.ts';
import { WriteQueue } from './write-queue.ts';
import { readable } from './known-causes.ts';
import { firstOccurrence, type Incident } from '../engine/incident/incident.ts';

export interface AuditFilter {
  /** Only entries before the entry with this ID. */
  readonly before?: number;
  /** Only entries that were made on this incident's page. */
  readonly incident?: string;
}

export interface ChangesAbout {
  /** Latest first. */
  readonly changes: readonly AuditEntry[];
  readonly omitted: number;
}

/** Limits the number of changes in memory while the file cannot be written. */
const MAX_WAITING = 1_000;

/** If there are more, the oldest refusal of the account with the most refusals is deleted. */
const MAX_REFUSED = 1_000;
const MAX_REFUSED_WAITING = 200;
const MINUTE: Millis = 60_000;

/** Maximum number of changes of each kind that an incident's page shows per account. */
const KEPT_OF_EACH = { first: 10, latest: 100 } as const;
/** An overall limit, which is needed because there can be many accounts. */
const MOST_ABOUT = 1_000;

const COLUMNS = 'sequence AS id, at, action, account, address, incident, cause, subject, detail';

const auditRow: z.ZodType<KeptAuditEntry> = z.object({
  id: z.number(),
  at: z.number(),
  action: z.literal(AUDIT_ACTIONS),
  account: z.string(),
  address: z.string().nullable(),
  incident: z.string().nullable(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  detail: z.string(),
});

const refusedRow: z.ZodType<RefusedChanges> = z.object({
  account: z.string(),
  address: z.string().transform((address) => (address === '' ? null : address)),
  first: z.number(),
  last: z.number(),
  count: z.number(),
  action: z.literal(AUDIT_ACTIONS),
});

export function createAuditTrail(database: Database): WriteQueue<AuditEntry> {
  return new WriteQueue(database, { most: MAX_WAITING, write: insertAuditEntries, isLazy: false });
}

function insertAuditEntries(db: DatabaseSync, entries: Iterable<AuditEntry>): void {
  const insert = db.prepare(
    `INSERT INTO audit (at, action, account, address, incident, cause, subject, detail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { at, action, account, address, incident, cause, subject, detail } of entries)
    insert.run(at, action, account, address, incident, cause, subject, detail);
}

/** Latest first. Omits entries that only another version can read. */
export function readAuditTrail(
  db: DatabaseSync,
  limit: number,
  { before = Number.MAX_SAFE_INTEGER, incident }: AuditFilter,
): readonly KeptAuditEntry[] {
  const about = incident === undefined ? '' : 'AND incident = :incident';
  const rows = db.prepare(
    `SELECT ${COLUMNS} FROM audit WHERE sequence < :before ${about} ORDER BY sequence DESC LIMIT :limit`,
  );
  return readable(auditRow, rows.all({ before, limit, ...(incident === undefined ? {} : { incident }) }));
}

/**
 * Returns comments, acknowledgements and silences from the incident's page, and silences for its causes that were
 * created while it was open. The number of entries is limited for each account and kind, so that an account cannot
 * displace other accounts' entries.
 */
export function readAuditAbout(db: DatabaseSync, incident: Incident): ChangesAbout {
  const { id, closedAt, cause, formerCauses } = incident;
  const causes = [cause, ...formerCauses].map((one) => ({ id: one.id, subject: one.subject }));
  const rows = db
    .prepare(
      `WITH about AS (
         SELECT * FROM audit WHERE incident = :id
         UNION ALL
         SELECT * FROM audit
         WHERE incident IS NULL AND at BETWEEN :since AND :until AND action IN ('add-silence', 'remove-silence')
           AND EXISTS (SELECT 1 FROM json_each(:causes)
             WHERE ifnull(cause = value ->> 'id', TRUE) AND ifnull(subject = value ->> 'subject', TRUE))
       ), counted AS (
         SELECT ${COLUMNS}, count(*) OVER () AS total,
           row_number() OVER (PARTITION BY account, action ORDER BY sequence) AS nth,
           row_number() OVER (PARTITION BY account, action ORDER BY sequence DESC) AS nth_latest
         FROM about
       )
       SELECT * FROM counted WHERE nth <= :first OR nth_latest <= :latest ORDER BY id DESC LIMIT :limit`,
    )
    .all({
      id,
      since: firstOccurrence(incident).since,
      until: closedAt ?? Number.MAX_SAFE_INTEGER,
      causes: JSON.stringify(causes),
      ...KEPT_OF_EACH,
      limit: MOST_ABOUT,
    });
  return { changes: readable(auditRow, rows), omitted: Number(rows[0]?.['total'] ?? 0) - rows.length };
}

/**
 * Counts refused changes per account, address and minute. The counts stay in memory until the next round or read, so
 * that repeated requests do not cause writes. The number of stored refusals is limited for each account, so that an
 * account cannot displace other accounts' refusals.
 */
export class RefusalLog {
  readonly #database: Database;
  readonly #counts: WriteQueue<RefusedChanges>;

  constructor(database: Database) {
    this.#database = database;
    this.#counts = new WriteQueue(database, { most: MAX_REFUSED_WAITING, write: writeRefused, isLazy: true });
  }

  add({ at, action, account, address }: RefusedChange): void {
    const key = JSON.stringify([account, address, minuteOf(at)]);
    const { first, count } = this.#counts.waiting(key) ?? { first: at, count: 0 };
    this.#counts.put({ account, address, first, last: at, count: count + 1, action }, key);
  }

  flush(): void {
    this.#counts.flush();
  }

  /** Latest first. */
  read(limit: number): readonly RefusedChanges[] {
    this.flush();
    const stored = this.#database.read((db) =>
      db.prepare('SELECT * FROM refused_changes ORDER BY last DESC LIMIT ?').all(limit),
    );
    return [...this.#counts.allWaiting().toReversed(), ...readable(refusedRow, stored ?? [])].slice(0, limit);
  }
}

function minuteOf(at: EpochMs): number {
  return Math.floor(at / MINUTE);
}

function writeRefused(db: DatabaseSync, rows: Iterable<RefusedChanges>): void {
  const write = db.prepare(
    `INSERT INTO refused_changes (account, address, minute, first, last, count, action) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET last = excluded.last, count = count + excluded.count, action = excluded.action`,
  );
  for (const { account, address, first, last, count, action } of rows)
    write.run(account, address ?? '', minuteOf(first), first, last, count, action);
  db.prepare(
    `DELETE FROM refused_changes WHERE sequence IN (
       SELECT sequence FROM (
         SELECT sequence, last, row_number() OVER (PARTITION BY account ORDER BY last DESC) AS nth FROM refused_changes
       ) ORDER BY nth DESC, last LIMIT max(0, (SELECT count(*) FROM refused_changes) - ?))`,
  ).run(MAX_REFUSED);
}
