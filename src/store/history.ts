import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { PreconditionStatus } from '../core/diagnosis.ts';
import type { ProbeSample } from '../core/round.ts';
import type { Database } from './database.ts';
import { writeFigure } from './figures.ts';
import type { Figure } from './figures.ts';

/** What one round leaves behind. */
export interface RoundRecord {
  readonly at: EpochMs;
  readonly samples: readonly ProbeSample[];
  readonly preconditions: readonly PreconditionStatus[];
  readonly certificates: readonly SeenCertificate[];
  readonly figures: readonly Figure[];
}

export interface SeenCertificate {
  /** `host:port`, as configured. */
  readonly target: string;
  readonly fingerprint: string;
  readonly pem: string;
}

/** Rounds kept in memory while the file cannot be written: an hour at the usual pace. */
const MAX_WAITING = 120;
/** A state is taken to have lasted from one round to the next, unless they are further apart than this. */
const MAX_GAP: Millis = 10 * 60_000;
/** An attacker may show a new certificate with each connection; the newest ones are enough. */
const MAX_CERTIFICATES = 100;

export interface History {
  /** Writes the round, and those that could not be written before, as one transaction. */
  record(round: RoundRecord): void;
}

export function createHistory(database: Database): History {
  const waiting: RoundRecord[] = [];
  return {
    record(round) {
      waiting.push(round);
      if (waiting.length > MAX_WAITING) waiting.shift();
      const kept = database.write((db) => {
        for (const one of waiting) writeRound(db, one);
      });
      if (kept) waiting.length = 0;
    },
  };
}

function writeRound(db: DatabaseSync, round: RoundRecord): void {
  for (const sample of round.samples) writeSample(db, sample, round.at);
  for (const status of round.preconditions) writeState(db, status, round.at);
  for (const certificate of round.certificates) writeCertificate(db, certificate, round.at);
  for (const figure of round.figures) writeFigure(db, figure, round.at);
}

function writeSample(db: DatabaseSync, { probe, target, durationMs, failure }: ProbeSample, at: EpochMs): void {
  db.prepare('INSERT INTO series (probe, target) VALUES (?, ?) ON CONFLICT DO NOTHING').run(probe, target);
  // Several addresses of one target share a series: the slowest, or the one that failed, is what a chart must show.
  db.prepare(
    `INSERT INTO samples (series, at, duration_ms, failure)
     VALUES ((SELECT id FROM series WHERE probe = ? AND target = ?), ?, ?, ?)
     ON CONFLICT (series, at) DO UPDATE SET duration_ms = max(duration_ms, excluded.duration_ms), failure = coalesce(failure, excluded.failure)`,
  ).run(probe, target, at, Number.isFinite(durationMs) ? durationMs : 0, failure);
}

function writeState(db: DatabaseSync, { id, state }: PreconditionStatus, at: EpochMs): void {
  const last = db
    .prepare('SELECT from_at, until_at, state FROM precondition_states WHERE precondition = ? ORDER BY from_at DESC LIMIT 1')
    .get(id);
  const until = Number(last?.['until_at'] ?? 0);
  const follows = last !== undefined && at >= until && at - until <= MAX_GAP;
  if (follows) {
    db.prepare('UPDATE precondition_states SET until_at = ? WHERE precondition = ? AND from_at = ?').run(at, id, Number(last['from_at']));
    if (last['state'] === state) return;
  }
  db.prepare(
    `INSERT INTO precondition_states (precondition, from_at, until_at, state) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state`,
  ).run(id, at, at, state);
}

function writeCertificate(db: DatabaseSync, { target, fingerprint, pem }: SeenCertificate, at: EpochMs): void {
  const { changes } = db.prepare('UPDATE certificates SET last_seen = ? WHERE target = ? AND fingerprint = ?').run(at, target, fingerprint);
  if (changes !== 0) return;
  db.prepare('INSERT INTO certificates (target, fingerprint, pem, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)').run(
    target,
    fingerprint,
    pem,
    at,
    at,
  );
  db.prepare(
    `DELETE FROM certificates WHERE target = ? AND fingerprint NOT IN
       (SELECT fingerprint FROM certificates WHERE target = ? ORDER BY last_seen DESC LIMIT ?)`,
  ).run(target, target, MAX_CERTIFICATES);
}
