import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { Incident } from '../engine/incident/incident.ts';
import type { SeenCertificate } from './history.ts';
import { parseIncident } from './saved-state.ts';

/** How long one precondition was in one state on one day (UTC). */
export interface DayState {
  /** Midnight at which the day begins. */
  readonly day: EpochMs;
  readonly precondition: string;
  readonly state: string;
  readonly duration: Millis;
}

export interface StoredSample {
  readonly at: EpochMs;
  readonly durationMs: Millis;
  readonly failure: string | null;
}

export interface StoredCertificate extends SeenCertificate {
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
}

const DAY: Millis = 86_400_000;

/** Latest first. */
export function readIncidents(db: DatabaseSync, limit: number): readonly Incident[] {
  return db
    .prepare('SELECT json FROM incidents ORDER BY opened_at DESC, id DESC LIMIT ?')
    .all(limit)
    .flatMap(({ json }) => (typeof json === 'string' ? (parseIncident(json) ?? []) : []));
}

/** Those that ended since then, latest first. */
export function readEnded(db: DatabaseSync, since: EpochMs, limit: number): readonly Incident[] {
  return db
    .prepare('SELECT json FROM incidents WHERE closed_at >= ? ORDER BY closed_at DESC, id DESC LIMIT ?')
    .all(since, limit)
    .flatMap(({ json }) => (typeof json === 'string' ? (parseIncident(json) ?? []) : []));
}

const sampleRow = z.object({ at: z.number(), durationMs: z.number(), failure: z.string().nullable() });

/** Oldest first; the latest `limit` of them. */
export function readSamples(
  db: DatabaseSync,
  series: { readonly probe: string; readonly target: string },
  since: EpochMs,
  limit: number,
): readonly StoredSample[] {
  const rows = db
    .prepare(
      `SELECT at, duration_ms AS durationMs, failure FROM samples
       WHERE series = (SELECT id FROM series WHERE probe = ? AND target = ?) AND at >= ? ORDER BY at DESC LIMIT ?`,
    )
    .all(series.probe, series.target, since, limit);
  return z.array(sampleRow).parse(rows).toReversed();
}

const certificateRow = z.object({
  target: z.string(),
  fingerprint: z.string(),
  pem: z.string(),
  firstSeen: z.number(),
  lastSeen: z.number(),
});

/** Those that a target showed, latest first. */
export function readCertificates(db: DatabaseSync, target: string): readonly StoredCertificate[] {
  const rows = db
    .prepare(
      `SELECT target, fingerprint, pem, first_seen AS firstSeen, last_seen AS lastSeen
       FROM certificates WHERE target = ? ORDER BY last_seen DESC`,
    )
    .all(target);
  return z.array(certificateRow).parse(rows);
}

const stateRow = z.object({ precondition: z.string(), state: z.string(), fromAt: z.number(), untilAt: z.number() });

/** The states of each day from `from` on; a state that lasted over midnight is counted on both days. */
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
