import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { BEGAN_BY, incidentsIn } from './history-rows.ts';

/** Which incidents are wanted; what is null may be anything. */
export interface IncidentFilter {
  readonly cause: string | null;
  /** Those that lasted at some time from here on… */
  readonly from: EpochMs | null;
  /** …and before here. */
  readonly until: EpochMs | null;
}

/** Those that are over, latest first: what is open, memory knows better. */
export function readClosedIncidents(
  db: DatabaseSync,
  { cause, from, until }: IncidentFilter,
  limit: number,
): readonly Incident[] {
  const rows = db
    .prepare(
      `SELECT json FROM incidents
       WHERE closed_at >= :from AND ${BEGAN_BY} AND (:cause IS NULL OR cause = :cause)
       ORDER BY closed_at DESC, id DESC LIMIT :limit`,
    )
    .all({ cause, from: from ?? 0, until: (until ?? Number.MAX_SAFE_INTEGER) - 1, limit });
  return incidentsIn(rows);
}

/** null: there is none, or another version wrote it. */
export function readIncident(db: DatabaseSync, id: string): Incident | null {
  return incidentsIn(db.prepare('SELECT json FROM incidents WHERE id = ?').all(id))[0] ?? null;
}
