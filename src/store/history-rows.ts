import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Period } from '../core/period.ts';
import type { Incident } from '../engine/incident/incident.ts';
import { parseIncident } from './saved-state.ts';

/** How long one precondition was in one state on one day (UTC), or in another span. */
export interface DayState {
  /** When the day or the span begins. */
  readonly day: EpochMs;
  readonly precondition: string;
  readonly state: string;
  readonly duration: Millis;
}

/** Open at some time of the period, latest first. */
export function readIncidents(db: DatabaseSync, limit: number, period: Period): readonly Incident[] {
  const sql = `SELECT json FROM incidents WHERE ${OPEN_WITHIN} ORDER BY opened_at DESC, id DESC LIMIT :limit`;
  return incidentsIn(db.prepare(sql).all({ ...boundsOf(period), limit }));
}

/**
 * Of rows of `incidents`: it began, with the first round that showed it, no later than `:until`. What opened by then
 * had begun, so that its JSON need not be read.
 */
export const BEGAN_BY = "(opened_at <= :until OR json ->> '$.since' <= :until)";

/** Of rows of `incidents`, by `boundsOf`. */
export const OPEN_WITHIN = `${BEGAN_BY} AND (closed_at IS NULL OR closed_at >= :since)`;

/** The ends of a period as whole numbers, whatever the clock said. */
export function boundsOf({ since, until }: Period): { readonly since: EpochMs; readonly until: EpochMs } {
  return { since: since ?? Number.MIN_SAFE_INTEGER, until: until ?? Number.MAX_SAFE_INTEGER };
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

export interface CertificateQuery {
  readonly target: string;
  readonly limit: number;
  readonly period: Period;
}

/** Those that a target showed in the period, latest first. */
export function readCertificates(
  db: DatabaseSync,
  { target, limit, period }: CertificateQuery,
): readonly StoredCertificate[] {
  const rows = db
    .prepare(
      `SELECT target, fingerprint, pem, first_seen AS firstSeen, last_seen AS lastSeen FROM certificates
       WHERE target = :target AND first_seen <= :until AND last_seen >= :since ORDER BY last_seen DESC LIMIT :limit`,
    )
    .all({ ...boundsOf(period), target, limit });
  return z.array(certificateRow).parse(rows);
}

const stateRow = z.object({ precondition: z.string(), state: z.string(), fromAt: z.number(), untilAt: z.number() });

export function readLastRound(db: DatabaseSync): EpochMs | null {
  const at = db.prepare('SELECT max(until_at) AS at FROM precondition_states').get()?.['at'];
  return typeof at === 'number' ? at : null;
}

/** The states of each span from `from` on; a state that lasted beyond its end is counted in both. */
export function readAvailability(db: DatabaseSync, from: EpochMs, span: Millis): readonly DayState[] {
  const rows = db
    .prepare(
      'SELECT precondition, state, from_at AS fromAt, until_at AS untilAt FROM precondition_states WHERE until_at >= ?',
    )
    .all(from);
  const days = new Map<string, DayState>();
  for (const { precondition, state, fromAt, untilAt } of z.array(stateRow).parse(rows)) {
    for (let day = Math.floor(Math.max(fromAt, from) / span) * span; day < untilAt; day += span) {
      const key = `${String(day)} ${precondition} ${state}`;
      const duration = Math.min(untilAt, day + span) - Math.max(fromAt, day, from);
      days.set(key, { day, precondition, state, duration: duration + (days.get(key)?.duration ?? 0) });
    }
  }
  return [...days.values()].toSorted((a, b) => a.day - b.day);
}
