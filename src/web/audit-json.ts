import type { AuditEntry } from '../core/audit.ts';
import { isoTime } from '../core/instant-text.ts';

/** One entry of `/api/v1/audit`: names are part of the contract. */
export function auditEntryToJson({ at, ...entry }: AuditEntry): object {
  return { at: isoTime(at), ...entry };
}
