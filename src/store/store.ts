import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import * as z from 'zod';
import type { AuditEntry, KeptAuditEntry, RefusedChange, RefusedChanges } from '../core/audit.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { oncePer } from '../core/once-per.ts';
import type { ProbeSample } from '../core/round.ts';
import type { Period, TimeRange } from '../core/time-text.ts';
import { recordedState, type StateSpan } from '../engine/availability.ts';
import type { PreconditionStatus } from '../engine/model.ts';
import type { AlertJournal, Delivery, Incident, OutboxEntry } from '../engine/incident/incident.ts';
import {
  type AuditFilter,
  type ChangesAbout,
  createAuditTrail,
  readAuditAbout,
  readAuditTrail,
  RefusalLog,
} from './audit-rows.ts';
import {
  boundsOf,
  MirroredJournal,
  prune,
  readDeliveries,
  readDeliveriesAbout,
  readDeliveryStates,
} from './alert-journal.ts';
import { Database, type DatabaseDeps } from './database.ts';
import { WriteQueue } from './write-queue.ts';
import { parseIncident } from './saved-state.ts';

/**
 * Data that is kept across restarts. Methods do not throw. If the file cannot be written or is corrupt, only history is
 * lost. Verdicts and alerts are not affected. If the file cannot be read, lists are empty, unless stated otherwise.
 * Lists of incidents, deliveries and changes start with the latest entry, series with the oldest.
 */
export interface Store {
  readonly journal: AlertJournal;
  /** Also deletes data that is older than the retention time. */
  recordRound(round: RoundRecord): void;
  deliveries(limit: number): readonly OutboxEntry[];
  deliveryStates(limit: number): readonly Delivery[];
  /** Null if the file cannot be read. */
  ended(range: TimeRange, limit: number): EndedIncidents | null;
  /** Null if the file cannot be read. */
  closedIncidents(filter: IncidentFilter, limit: number, offset?: number): readonly Incident[] | null;
  /** The incident as of its last change. Null if it does not exist or the file cannot be read. */
  incident(id: string): Incident | null;
  deliveriesAbout(incident: Incident, limit: number): readonly OutboxEntry[];
  /**
   * The last round that is not later than `now`, because the clock may have been ahead. Null if there was no such round
   * or the file cannot be read.
   */
  lastRound(now: EpochMs): EpochMs | null;
  /** States from before the retention time may be incomplete. */
  stateSpans(range: TimeRange): readonly StateSpan[];
  latency(series: ProbeName, range: TimeRange, bucket: Millis): readonly StoredLatency[];
  /** @param most maximum number of appliances, the most important ones */
  hourlyValues(name: HourlyValueName, range: TimeRange, most: number): readonly StoredHourlyValue[];
  /** While the file cannot be written, the latest 1,000 changes are kept in memory. */
  recordChange(entry: AuditEntry): void;
  auditTrail(limit: number, filter?: AuditFilter): readonly KeptAuditEntry[];
  /** Returns the changes made on the incident's page, and silences that affected the incident while it was open. */
  auditAbout(incident: Incident): ChangesAbout;
  recordRefusal(refused: RefusedChange): void;
  refusedChanges(limit: number): readonly RefusedChanges[];
  /** Returns whether the last write succeeded (`ftm_store_writable`). */
  writable(): boolean;
  /** Returns why the file cannot be used, or null. */
  failure(): string | null;
  /** Returns a message with advice if the file is from a newer version and therefore not used, otherwise null. */
  newer(): string | null;
  close(): void;
}

/**
 * If expired data remains after a deletion, the next deletion starts sooner. Nothing is deleted until the wall clock has
 * run steadily for this long, because a clock that is ahead makes all data look expired.
 */
const PRUNE_EVERY: Millis = 10 * 60_000;
/** If the wall clock moved further than this between two rounds, it was set or the machine was suspended. */
const STEADY: Millis = 60_000;
const LEAST_PRUNED = 2_000;

export function createStore(config: { readonly path: string; readonly retention: Millis }, deps: DatabaseDeps): Store {
  const database = new Database(config.path, deps);
  const keptSince = (): EpochMs => deps.clock.now() - config.retention;
  const journal = new MirroredJournal(database, deps.logger);
  const history = createHistory(database);
  const audit = createAuditTrail(database);
  const refusals = new RefusalLog(database);
  const queues = [journal, audit, refusals, history];
  const readAudit = <T>(read: (db: DatabaseSync) => T): T | null => {
    audit.flush();
    return database.read(read);
  };
  const pruneAtTimes = createPruning(database, keptSince, deps.clock);

  return {
    journal,
    recordRound(round) {
      history.put(round);
      for (const queue of queues) queue.flush();
      pruneAtTimes(round.samples.length);
    },
    deliveries: (limit) => database.read((db) => readDeliveries(db, limit)) ?? [],
    deliveryStates: (limit) => database.read((db) => readDeliveryStates(db, limit)) ?? [],
    ended: (range, limit) => database.read((db) => readEnded(db, range, limit)),
    closedIncidents: (filter, limit, offset = 0) =>
      database.read((db) => readClosedIncidents(db, filter, { limit, offset })),
    incident: (id) => database.read((db) => readIncident(db, id)),
    deliveriesAbout: (incident, limit) => database.read((db) => readDeliveriesAbout(db, incident, limit)) ?? [],
    lastRound: (now) => database.read((db) => readLastRound(db, now)),
    stateSpans: (range) => database.read((db) => readStateSpans(db, range)) ?? [],
    latency: (series, range, bucket) => database.read((db) => readLatency(db, series, range, bucket)) ?? [],
    hourlyValues: (name, range, most) => database.read((db) => readHourlyValues(db, name, range, most)) ?? [],
    recordChange: (entry) => {
      audit.put(entry);
      audit.flush();
    },
    auditTrail: (limit, filter = {}) => readAudit((db) => readAuditTrail(db, limit, filter)) ?? [],
    auditAbout: (incident) => readAudit((db) => readAuditAbout(db, incident)) ?? { changes: [], omitted: 0 },
    recordRefusal: (refused) => refusals.add(refused),
    refusedChanges: (limit) => refusals.read(limit),
    writable: () => database.writable(),
    failure: () => database.failure(),
    newer: () => database.newer(),
    close: () => {
      database.retryNow();
      for (const queue of queues) queue.flush();
      database.close();
    },
  };
}

/**
 * The returned function deletes up to twice as many rows as the last round wrote (its argument), so that the number of
 * expired rows decreases.
 */
function createPruning(database: Database, keptSince: () => EpochMs, clock: Clock): (written: number) => void {
  const offsetNow = (): Millis => clock.now() - clock.elapsed();
  let offset = offsetNow();
  let nextAt = clock.elapsed() + PRUNE_EVERY;
  return (written) => {
    const elapsed = clock.elapsed();
    if (Math.abs(offsetNow() - offset) > STEADY) nextAt = elapsed + PRUNE_EVERY;
    offset = offsetNow();
    if (elapsed < nextAt) return;
    let isDone = true;
    database.write((db) => {
      isDone = prune(db, keptSince(), Math.max(LEAST_PRUNED, 2 * written));
    });
    if (isDone) nextAt = elapsed + PRUNE_EVERY;
  };
}

const HOUR: Millis = 3_600_000;

export interface RoundRecord {
  readonly at: EpochMs;
  /** If the round before is older, the state between the two rounds is unknown. */
  readonly knownFor: Millis;
  readonly samples: readonly ProbeSample[];
  readonly preconditions: readonly PreconditionStatus[];
  readonly certificates: readonly SeenCertificate[];
  readonly hourlyValues: readonly HourlyValue[];
}

interface SeenCertificate {
  /** As `host:port`. */
  readonly target: string;
  readonly fingerprint: string;
  readonly pem: string;
}

/** Maximum number of rounds in memory while the file cannot be written. At the default interval, this is one hour. */
const MAX_WAITING = 120;
/** The limit is per target, because an attacker can present a new certificate on each connection. */
const MAX_CERTIFICATES = 100;

function createHistory(database: Database): WriteQueue<RoundRecord> {
  return new WriteQueue(database, {
    most: MAX_WAITING,
    write: (db, rounds) => {
      const write = roundWriter(db);
      for (const round of rounds) write(round);
    },
    isLazy: true,
  });
}

/** The statements are prepared once, because preparing takes longer than writing. */
const roundWriter = oncePer((db: DatabaseSync): ((round: RoundRecord) => void) => {
  const writeSample = sampleWriter(db);
  const writeState = stateWriter(db);
  const writeCertificate = certificateWriter(db);
  const writeHourlyValue = hourlyValueWriter(db);
  return (round) => {
    const { at, samples, preconditions, certificates, hourlyValues } = round;
    for (const sample of samples) writeSample(sample, at);
    for (const status of preconditions) writeState(status, round);
    for (const certificate of certificates) writeCertificate(certificate, at);
    for (const value of hourlyValues) writeHourlyValue(value, at);
  };
});

type Write<T> = (row: T, at: EpochMs) => void;

function sampleWriter(db: DatabaseSync): Write<ProbeSample> {
  const addSeries = db.prepare('INSERT INTO series (probe, target) VALUES (?, ?)');
  const seriesOf = db.prepare('SELECT id FROM series WHERE probe = ? AND target = ?');
  // All addresses of a target share one series. Each sample is from the failed or slowest address, because charts must
  // show that address.
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

function stateWriter(db: DatabaseSync) {
  // States that are stored with a later time are from a clock that was ahead. They neither continue nor end here.
  const latest = db.prepare(
    `SELECT from_at, until_at, state FROM precondition_states
     WHERE precondition = ? AND from_at <= ? ORDER BY from_at DESC LIMIT 1`,
  );
  const end = db.prepare('UPDATE precondition_states SET until_at = ? WHERE precondition = ? AND from_at = ?');
  const begin = db.prepare(
    `INSERT INTO precondition_states (precondition, from_at, until_at, state) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET state = excluded.state`,
  );
  return (status: PreconditionStatus, { at, knownFor }: RoundRecord): void => {
    const { id } = status;
    const state = recordedState(status);
    const last = latest.get(id, at);
    const until = Number(last?.['until_at'] ?? 0);
    const follows = last !== undefined && at - until <= knownFor;
    if (follows) {
      const isSame = last['state'] === state;
      // After a step back of the clock, the state may already be stored for this time.
      end.run(isSame ? Math.max(at, until) : at, id, Number(last['from_at']));
      if (isSame) return;
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

/** Latest first. */
export function readIncidents(db: DatabaseSync, limit: number, period: Period): readonly Incident[] {
  const sql = `SELECT json FROM incidents WHERE ${OPEN_WITHIN} ORDER BY opened_at DESC, id DESC LIMIT :limit`;
  return incidentsIn(db.prepare(sql).all({ ...boundsOf(period), limit }));
}

/**
 * An incident begins in the first round that detects it, and is opened later. If the incident was opened at or before
 * `:until`, the JSON is not read.
 */
const BEGAN_BY = "(opened_at <= :until OR json ->> '$.since' <= :until)";

/** Uses the parameters from `boundsOf`. */
export const OPEN_WITHIN = `${BEGAN_BY} AND (closed_at IS NULL OR closed_at >= :since)`;

interface EndedIncidents {
  /** Latest first. */
  readonly incidents: readonly Incident[];
  /** Number of earlier incidents that exceeded the limit. */
  readonly omitted: number;
}

function readEnded(db: DatabaseSync, { since, until }: TimeRange, limit: number): EndedIncidents {
  const ended = 'FROM incidents WHERE closed_at BETWEEN ? AND ?';
  const rows = db.prepare(`SELECT json ${ended} ORDER BY closed_at DESC, id DESC LIMIT ?`).all(since, until, limit);
  const count = Number(db.prepare(`SELECT count(*) AS count ${ended}`).get(since, until)?.['count']);
  return { incidents: incidentsIn(rows), omitted: count - rows.length };
}

/** Omits incidents that only another version can read. */
function incidentsIn(rows: readonly Readonly<Record<string, SQLOutputValue>>[]): readonly Incident[] {
  return rows.flatMap(({ json }) => parseIncident(String(json)) ?? []);
}

function readLastRound(db: DatabaseSync, now: EpochMs): EpochMs | null {
  const at = db.prepare('SELECT max(until_at) AS at FROM precondition_states WHERE until_at <= ?').get(now)?.['at'];
  return typeof at === 'number' ? at : null;
}

const stateSpanRow = z.object({ precondition: z.string(), state: z.string(), from: z.number(), until: z.number() });

/** Includes a state that began before `since`. */
function readStateSpans(db: DatabaseSync, { since, until }: TimeRange): readonly StateSpan[] {
  const rows = db
    .prepare(
      `SELECT precondition, state, from_at AS "from", min(until_at, :until) AS until FROM precondition_states
       WHERE until_at > :since AND until_at > from_at AND from_at < :until`,
    )
    .all({ since, until });
  return z.array(stateSpanRow).parse(rows);
}

/** Null does not restrict the result. */
interface IncidentFilter {
  readonly cause: string | null;
  /** Only incidents that were open after this time. */
  readonly from: EpochMs | null;
  /** Only incidents that were open before this time. */
  readonly until: EpochMs | null;
}

/** Latest first. Open incidents are excluded, because the copy in memory is more up to date. */
function readClosedIncidents(
  db: DatabaseSync,
  { cause, from, until }: IncidentFilter,
  page: { readonly limit: number; readonly offset: number },
): readonly Incident[] {
  const rows = db
    .prepare(
      `SELECT json FROM incidents
       WHERE closed_at >= :from AND ${BEGAN_BY} AND (:cause IS NULL OR cause = :cause)
       ORDER BY closed_at DESC, id DESC LIMIT :limit OFFSET :offset`,
    )
    .all({ cause, from: from ?? 0, until: (until ?? Number.MAX_SAFE_INTEGER) - 1, ...page });
  return incidentsIn(rows);
}

export function readIncident(db: DatabaseSync, id: string): Incident | null {
  return incidentsIn(db.prepare('SELECT json FROM incidents WHERE id = ?').all(id))[0] ?? null;
}

/** Errors are summed. For remaining tokens, the last value is kept. */
type HourlyValueName = 'ftm-errors' | 'tokens-left';

export interface HourlyValue {
  readonly name: HourlyValueName;
  /** The appliance's configured name. */
  readonly subject: string;
  readonly value: number;
}

const WRITES: Readonly<Record<HourlyValueName, string>> = {
  'ftm-errors': 'value + excluded.value',
  'tokens-left': 'excluded.value',
};

function hourlyValueWriter(db: DatabaseSync): (value: HourlyValue, at: EpochMs) => void {
  const prepare = (name: HourlyValueName): StatementSync =>
    db.prepare(
      `INSERT INTO figures (name, subject, at, value) VALUES (?, ?, ?, ?)
       ON CONFLICT (name, subject, at) DO UPDATE SET value = ${WRITES[name]}`,
    );
  const statements = { 'ftm-errors': prepare('ftm-errors'), 'tokens-left': prepare('tokens-left') };
  return ({ name, subject, value }, at) => statements[name].run(name, subject, Math.floor(at / HOUR) * HOUR, value);
}

const hourlyValueRow = z.object({
  subject: z.string(),
  /** Start of the hour. */
  at: z.number(),
  value: z.number(),
});

export type StoredHourlyValue = Readonly<z.infer<typeof hourlyValueRow>>;

/** Orders subjects by importance: most errors first, or fewest remaining tokens first. */
const RANKS: Readonly<Record<HourlyValueName, string>> = {
  'ftm-errors':
    '(SELECT -total(value) FROM figures WHERE name = :name AND subject = subjects.subject AND at BETWEEN :since AND :until)',
  'tokens-left':
    '(SELECT value FROM figures WHERE name = :name AND subject = subjects.subject AND at <= :until ' +
    'ORDER BY at DESC LIMIT 1)',
};

/**
 * Oldest first. There can be a thousand subjects with one row per hour, so the subjects are listed from the primary
 * key.
 * @param most maximum number of subjects, the most important ones
 */
function readHourlyValues(
  db: DatabaseSync,
  name: HourlyValueName,
  { since, until }: TimeRange,
  most: number,
): readonly StoredHourlyValue[] {
  const rows = db
    .prepare(
      `WITH RECURSIVE subjects (subject) AS (
         SELECT min(subject) FROM figures WHERE name = :name
         UNION ALL
         SELECT (SELECT min(subject) FROM figures WHERE name = :name AND subject > subjects.subject) FROM subjects
         WHERE subject IS NOT NULL
       ),
       wanted (subject) AS (
         SELECT subject FROM subjects WHERE subject IS NOT NULL ORDER BY ${RANKS[name]}, subject LIMIT :most
       )
       SELECT figures.subject, at, value
       FROM wanted JOIN figures ON name = :name AND figures.subject = wanted.subject
         AND at BETWEEN :since AND :until
       ORDER BY at, figures.subject`,
    )
    .all({ name, since, until, most });
  return z.array(hourlyValueRow).parse(rows);
}

/** The mean of the successful probes in a time span that starts at `at`. */
type StoredLatency = Readonly<z.infer<typeof latencyRow>>;

const latencyRow = z.object({ at: z.number(), durationMs: z.number() });

interface ProbeName {
  readonly probe: string;
  readonly target: string;
}

/** For time spans of at least this length, the mean is calculated from a few evenly distributed rounds. */
const LONG_SPAN: Millis = HOUR;
const SAMPLES_OF_A_SPAN = 6;

/** A JavaScript number is bound as a REAL, for which SQLite does not use integer division. */
const WHOLE_BUCKET = 'CAST(:bucket AS INTEGER)';

const MEANS_OF_ALL = `
  SELECT at / ${WHOLE_BUCKET} * ${WHOLE_BUCKET} AS at, avg(duration_ms) AS durationMs
  FROM samples
  WHERE series = :id AND at BETWEEN :since AND :until AND failure IS NULL
  GROUP BY 1 ORDER BY 1`;

/** Ninety days contain a quarter of a million rounds, so reading all of them would delay the page. */
const MEANS_OF_SOME = `
  WITH RECURSIVE looks (at) AS (
    SELECT CAST(:since AS INTEGER)
    UNION ALL SELECT at + CAST(:step AS INTEGER) FROM looks WHERE at + :step <= :until
  ),
  found (at, duration) AS (
    SELECT at, (
      SELECT duration_ms FROM samples
      WHERE series = :id AND samples.at >= looks.at AND samples.at < looks.at + :step AND failure IS NULL
      ORDER BY samples.at LIMIT 1
    ) FROM looks
  )
  SELECT at / ${WHOLE_BUCKET} * ${WHOLE_BUCKET} AS at, avg(duration) AS durationMs
  FROM found WHERE duration IS NOT NULL
  GROUP BY 1 ORDER BY 1`;

/** Oldest first. @param bucket length of each time span */
function readLatency(
  db: DatabaseSync,
  { probe, target }: ProbeName,
  { since, until }: TimeRange,
  bucket: Millis,
): readonly StoredLatency[] {
  const id = db.prepare('SELECT id FROM series WHERE probe = ? AND target = ?').get(probe, target)?.['id'];
  if (typeof id !== 'number') return [];
  const rows =
    bucket < LONG_SPAN
      ? db.prepare(MEANS_OF_ALL).all({ id, since, until, bucket })
      : db.prepare(MEANS_OF_SOME).all({ id, since, until, bucket, step: bucket / SAMPLES_OF_A_SPAN });
  return z.array(latencyRow).parse(rows);
}
