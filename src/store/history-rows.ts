import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { parseIncident } from './saved-state.ts';

/** How long one precondition was in one state on one day (UTC). */
export interface DayState {
  /** Midnight at which the day begins. */
  readonly day: EpochMs;
  readonly precondition: string;
  readonly state: string;
  readonly duration: Millis;
}

const DAY: Millis = 86_400_000;

/** Latest first. */
export function readIncidents(db: DatabaseSync, limit: number): readonly Incident[] {
  return incidentsIn(db.prepare('SELECT json FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?').all(limit));
}

/** Those that ended since then, latest first. */
export function readEnded(db: DatabaseSync, since: EpochMs, limit: number): readonly Incident[] {
  const sql = 'SELECT json FROM incidents WHERE closed_at >= ? ORDER BY closed_at DESC, id DESC LIMIT ?';
  return incidentsIn(db.prepare(sql).all(since, limit));
}

/** Those that this version can read. */
export function incidentsIn(rows: readonly Readonly<Record<string, SQLOutputValue>>[]): readonly Incident[] {
  return rows.flatMap(({ json }) => parseIncident(String(json)) ?? []);
}

const certificateRow = z.object({
  target: z.string(),
  fingerprint: z.string(),
  pem: z.string(),
  firstSeen: z.number(),
  lastSeen: z.number(),
});

export type StoredCertificate = Readonly<z.infer<typeof certificateRow>>;

/** Those that a target showed, latest first. */
export function readCertificates(db: DatabaseSync, target: string, limit: number): readonly StoredCertificate[] {
  const rows = db
    .prepare(
      `SELECT target, fingerprint, pem, first_seen AS firstSeen, last_seen AS lastSeen
       FROM certificates WHERE target = ? ORDER BY last_seen DESC LIMIT ?`,
    )
    .all(target, limit);
  return z.array(certificateRow).parse(rows);
}

const stateRow = z.object({ precondition: z.string(), state: z.string(), fromAt: z.number(), untilAt: z.number() });

/** The states of each day from `from` on; a state that lasted over midnight is counted on both days. */
export function readLastRound(db: DatabaseSync): EpochMs | null {
  const at = db.prepare('SELECT max(until_at) AS at FROM precondition_states').get()?.['at'];
  return typeof at === 'number' ? at : null;
}

export function readAvailability(db: DatabaseSync, from: EpochMs): readonly DayState[] {
  const rows = db
    .prepare(
      'SELECT precondition, state, from_at AS fromAt, until_at AS untilAt FROM precondition_states WHERE until_at >= ?',
    )
    .all(from);
  const days = new Map<string, DayState>();
  for (const { precondition, state, fromAt, untilAt } of z.array(stateRow).parse(rows)) {
    for (let day = Math.floor(Math.max(fromAt, from) / DAY) * DAY; day < untilAt; day += DAY) {
      const key = `${String(day)} ${precondition} ${state}`;
      const duration = Math.min(untilAt, day + DAY) - Math.max(fromAt, day, from);
      days.set(key, { day, precondition, state, duration: duration + (days.get(key)?.duration ?? 0) });
    }
  }
  return [...days.values()].toSorted((a, b) => a.day - b.day);
}
