import type { DatabaseSync } from 'node:sqlite';
import type { EpochMs, Millis } from '../core/clock.ts';
import type { PreconditionStatus } from '../engine/diagnosis.ts';
import { oncePer } from '../core/once-per.ts';
import type { ProbeSample } from '../core/round.ts';
import { Backlog, type Database } from './database.ts';
import { hourlyValueWriter, type HourlyValue } from './hourly-values.ts';

/** What one round leaves behind. */
export interface RoundRecord {
  readonly at: EpochMs;
  readonly samples: readonly ProbeSample[];
  readonly preconditions: readonly PreconditionStatus[];
  readonly certificates: readonly SeenCertificate[];
  readonly hourlyValues: readonly HourlyValue[];
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

/** Writes each round, and those that could not be written before, as one transaction. */
export function createHistory(database: Database): Backlog<RoundRecord> {
  return new Backlog(MAX_WAITING, (rounds) => database.writeLazily((db) => rounds.forEach(roundWriter(db))));
}

/** With statements that are prepared once for all rounds: preparing takes longer than writing. */
const roundWriter = oncePer((db: DatabaseSync): ((round: RoundRecord) => void) => {
  const writeSample = sampleWriter(db);
  const writeState = stateWriter(db);
  const writeCertificate = certificateWriter(db);
  const writeHourlyValue = hourlyValueWriter(db);
  return ({ at, samples, preconditions, certificates, hourlyValues }) => {
    for (const sample of samples) writeSample(sample, at);
    for (const status of preconditions) writeState(status, at);
    for (const certificate of certificates) writeCertificate(certificate, at);
    for (const value of hourlyValues) writeHourlyValue(value, at);
  };
});

type Write<T> = (row: T, at: EpochMs) => void;

function sampleWriter(db: DatabaseSync): Write<ProbeSample> {
  const addSeries = db.prepare('INSERT INTO series (probe, target) VALUES (?, ?)');
  const seriesOf = db.prepare('SELECT id FROM series WHERE probe = ? AND target = ?');
  // Several addresses of one target share a series: the slowest, or the one that failed, is what a chart must show.
  const addSample = db.prepare(
    `INSERT INTO samples (series, at, duration_ms, failure) VALUES (?, ?, ?, ?)
     ON CONFLICT (series, at) DO UPDATE SET
       duration_ms = max(duration_ms, excluded.duration_ms), failure = coalesce(failure, excluded.failure)`,
  );
  return ({ probe, target, durationMs, failure }, at) => {
    const known = seriesOf.get(probe, target)?.['id'];
    const series = known ?? addSeries.run(probe, target).lastInsertRowid;
    addSample.run(Number(series), at, Number.isFinite(durationMs) ? durationMs : 0, failure);
  };
}

function stateWriter(db: DatabaseSync): Write<PreconditionStatus> {
  const latest = db.prepare(
    'SELECT from_at, until_at, state FROM precondition_states WHERE precondition = ? ORDER BY from_at DESC LIMIT 1',
  );
  const prolong = db.prepare('UPDATE precondition_states SET until_at = ? WHERE precondition = ? AND from_at = ?');
  const begin = db.prepare(
    `INSERT INTO precondition_states (precondition, from_at, until_at, state) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state`,
  );
  return ({ id, state }, at) => {
    const last = latest.get(id);
    const until = Number(last?.['until_at'] ?? 0);
    const follows = last !== undefined && at >= until && at - until <= MAX_GAP;
    if (follows) {
      prolong.run(at, id, Number(last['from_at']));
      if (last['state'] === state) return;
    }
    begin.run(id, at, at, state);
  };
}

function certificateWriter(db: DatabaseSync): Write<SeenCertificate> {
  const touch = db.prepare('UPDATE certificates SET last_seen = ? WHERE target = ? AND fingerprint = ?');
  const add = db.prepare(
    'INSERT INTO certificates (target, fingerprint, pem, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)',
  );
  const bound = db.prepare(
    `DELETE FROM certificates WHERE target = ? AND fingerprint NOT IN
       (SELECT fingerprint FROM certificates WHERE target = ? ORDER BY last_seen DESC LIMIT ?)`,
  );
  return ({ target, fingerprint, pem }, at) => {
    if (touch.run(at, target, fingerprint).changes !== 0) return;
    add.run(target, fingerprint, pem, at, at);
    bound.run(target, target, MAX_CERTIFICATES);
  };
}
