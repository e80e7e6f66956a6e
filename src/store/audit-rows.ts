import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { AUDIT_ACTIONS, type AuditEntry, CHANGE_REFUSALS } from '../core/audit.ts';
import { Backlog, type Database } from './database.ts';
import type { Incident } from '../engine/incident/incident.ts';

/** An account that is refused again and again fills nothing. */
const MAX_ENTRIES = 10_000;

/** Changes kept in memory while the file cannot be written. */
const MAX_WAITING = 1_000;

const COLUMNS = 'at, action, account, address, refused, incident, cause, subject, detail';

const auditRow: z.ZodType<AuditEntry> = z.object({
  at: z.number(),
  action: z.literal(AUDIT_ACTIONS),
  account: z.string(),
  address: z.string().nullable(),
  refused: z.literal(CHANGE_REFUSALS).nullable(),
  incident: z.string().nullable(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  detail: z.string(),
});

/** Writes each change, and those that could not be written before, as one transaction. */
export function createAuditTrail(database: Database): Backlog<AuditEntry> {
  return new Backlog(MAX_WAITING, (entries) => database.write((db) => insertAuditEntries(db, entries)));
}

function insertAuditEntries(db: DatabaseSync, entries: readonly AuditEntry[]): void {
  const insert = db.prepare(
    `INSERT INTO audit (at, action, account, address, refused, incident, cause, subject, detail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { at, action, account, address, refused, incident, cause, subject, detail } of entries)
    insert.run(at, action, account, address, refused, incident, cause, subject, detail);
  db.prepare('DELETE FROM audit WHERE sequence <= (SELECT max(sequence) FROM audit) - ?').run(MAX_ENTRIES);
}

/** Latest first. What another version wrote and this one does not know is left out. */
export function readAuditTrail(db: DatabaseSync, limit: number): readonly AuditEntry[] {
  return entriesIn(db.prepare(`SELECT ${COLUMNS} FROM audit ORDER BY sequence DESC LIMIT ?`).all(limit));
}

/** Those asked for from the page of an incident, and silences while it lasted, latest first. */
export function readAuditAbout(
  db: DatabaseSync,
  { id, since, closedAt }: Pick<Incident, 'id' | 'since' | 'closedAt'>,
  limit: number,
): readonly AuditEntry[] {
  const rows = db
    .prepare(
      `SELECT ${COLUMNS} FROM audit
       WHERE incident = :id OR (incident IS NULL AND at BETWEEN :since AND :until) ORDER BY sequence DESC LIMIT :limit`,
    )
    .all({ id, since, until: closedAt ?? Number.MAX_SAFE_INTEGER, limit });
  return entriesIn(rows);
}

function entriesIn(rows: ReturnType<StatementSync['all']>): readonly AuditEntry[] {
  return rows.flatMap((row) => {
    const parsed = auditRow.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  });
}
