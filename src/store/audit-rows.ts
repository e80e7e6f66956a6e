import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AUDIT_ACTIONS, type AuditEntry, CHANGE_REFUSALS } from '../core/audit.ts';

/** An account that is refused again and again fills nothing. */
const MAX_ENTRIES = 10_000;

const auditRow: z.ZodType<AuditEntry> = z.object({
  at: z.number(),
  action: z.literal(AUDIT_ACTIONS),
  account: z.string(),
  address: z.string().nullable(),
  refused: z.literal(CHANGE_REFUSALS).nullable(),
  cause: z.string().nullable(),
  subject: z.string().nullable(),
  detail: z.string(),
});

export function insertAuditEntry(db: DatabaseSync, entry: AuditEntry): void {
  const { at, action, account, address, refused, cause, subject, detail } = entry;
  db.prepare(
    `INSERT INTO audit (at, action, account, address, refused, cause, subject, detail)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(at, action, account, address, refused, cause, subject, detail);
  db.prepare('DELETE FROM audit WHERE sequence <= (SELECT max(sequence) FROM audit) - ?').run(MAX_ENTRIES);
}

/** Latest first. What another version wrote and this one does not know is left out. */
export function readAuditTrail(db: DatabaseSync, limit: number): readonly AuditEntry[] {
  const rows = db
    .prepare(
      `SELECT at, action, account, address, refused, cause, subject, detail FROM audit ORDER BY sequence DESC LIMIT ?`,
    )
    .all(limit);
  return rows.flatMap((row) => {
    const parsed = auditRow.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  });
}
