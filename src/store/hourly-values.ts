import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { EpochMs, Millis } from '../core/clock.ts';

/** Errors are summed. For remaining tokens, the last value is kept. */
export type HourlyValueName = 'ftm-errors' | 'tokens-left';

export interface HourlyValue {
  readonly name: HourlyValueName;
  /** The appliance's configured name. */
  readonly subject: string;
  readonly value: number;
}

const HOUR: Millis = 3_600_000;

const WRITES: Readonly<Record<HourlyValueName, string>> = {
  'ftm-errors': 'value + excluded.value',
  'tokens-left': 'excluded.value',
};

export function hourlyValueWriter(db: DatabaseSync): (value: HourlyValue, at: EpochMs) => void {
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

/** Subjects by importance: most errors first, or fewest remaining tokens first. */
const RANKS: Readonly<Record<HourlyValueName, string>> = {
  'ftm-errors':
    '(SELECT -total(value) FROM figures WHERE name = :name AND subject = subjects.subject AND at >= :since)',
  'tokens-left':
    '(SELECT value FROM figures WHERE name = :name AND subject = subjects.subject ORDER BY at DESC LIMIT 1)',
};

/**
 * Oldest first. There can be a thousand subjects with one row per hour, so the subjects are listed from the primary
 * key.
 * @param most maximum number of subjects, the most important ones
 */
export function readHourlyValues(
  db: DatabaseSync,
  name: HourlyValueName,
  since: EpochMs,
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
       FROM wanted JOIN figures ON name = :name AND figures.subject = wanted.subject AND at >= :since
       ORDER BY at, figures.subject`,
    )
    .all({ name, since, most });
  return z.array(hourlyValueRow).parse(rows);
}

/** The mean of the successful probes in a time span that starts at `at`. */
export type StoredLatency = Readonly<z.infer<typeof latencyRow>>;

const latencyRow = z.object({ at: z.number(), durationMs: z.number() });

export interface ProbeName {
  readonly probe: string;
  readonly target: string;
}

/** From this length on, the mean is calculated from a few evenly distributed rounds. */
const LONG_SPAN: Millis = 3_600_000;
const SAMPLES_OF_A_SPAN = 6;

/** A JavaScript number is bound as a REAL, for which SQLite does not use integer division. */
const WHOLE_BUCKET = 'CAST(:bucket AS INTEGER)';

const MEANS_OF_ALL = `
  SELECT at / ${WHOLE_BUCKET} * ${WHOLE_BUCKET} AS at, avg(duration_ms) AS durationMs
  FROM samples
  WHERE series = :id AND at >= :since AND failure IS NULL
  GROUP BY 1 ORDER BY 1`;

/** Ninety days have a quarter of a million rounds, so reading all of them would delay the page. */
const MEANS_OF_SOME = `
  WITH RECURSIVE looks (at) AS (
    SELECT CAST(:since AS INTEGER)
    UNION ALL SELECT at + CAST(:step AS INTEGER) FROM looks WHERE at + :step <= :last
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
export function readLatency(
  db: DatabaseSync,
  series: ProbeName,
  since: EpochMs,
  bucket: Millis,
): readonly StoredLatency[] {
  const id = db.prepare('SELECT id FROM series WHERE probe = ? AND target = ?').get(series.probe, series.target)?.[
    'id'
  ];
  const last = db.prepare('SELECT max(at) AS at FROM samples WHERE series = ?').get(Number(id ?? 0))?.['at'];
  if (typeof id !== 'number' || typeof last !== 'number') return [];
  const rows =
    bucket < LONG_SPAN
      ? db.prepare(MEANS_OF_ALL).all({ id, since, bucket })
      : db.prepare(MEANS_OF_SOME).all({ id, since, bucket, last, step: bucket / SAMPLES_OF_A_SPAN });
  return z.array(latencyRow).parse(rows);
}
