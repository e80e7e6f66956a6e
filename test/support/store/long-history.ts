import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createStore } from '../../../src/store/store.ts';
import type { DatabaseDeps } from '../../../src/store/database.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST } from '../../../src/demo/lab/site.ts';

export interface LongHistory {
  readonly path: string;
  /** End of the history. */
  readonly now: number;
  readonly days: number;
  /** `host:port` of the licence server and address of the resolver. */
  readonly target: string;
  readonly resolver: string;
  readonly appliance: string;
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** Fills the store of a lab with 90 days of history, before its daemon starts. */
export function writeHistoryOfLab({ folder, firewall, resolver }: Lab): void {
  mkdirSync(join(folder, 'data'), { recursive: true });
  writeLongHistory(
    {
      path: join(folder, 'data', 'ftm-watch.sqlite'),
      now: systemClock.now(),
      days: 90,
      target: `${LICENSE_HOST}:${String(firewall.portOf(LICENSE_HOST))}`,
      resolver: `127.0.0.1:${String(resolver.port)}`,
      appliance: 'fac-1',
    },
    { clock: systemClock, logger: { info: () => undefined, warn: () => undefined } },
  );
}

/**
 * Fills a store with a round every 30 s for this many days: some short outages, tokens that are used up, and an
 * evening with frequent faults.
 */
export function writeLongHistory(
  { path, now, days, target, resolver, appliance }: LongHistory,
  deps: DatabaseDeps,
): void {
  const store = createStore({ path, retention: (days + 1) * DAY }, deps);
  // The first write creates the tables.
  const empty = { knownFor: 0, samples: [], preconditions: [], certificates: [], hourlyValues: [] };
  store.recordRound({ at: now - days * DAY, ...empty });
  store.close();
  using db = new DatabaseSync(path);
  db.exec('BEGIN');
  const phases = [
    ['dns', resolver, 6],
    ['tcp', target, 14],
    ['tls', target, 38],
    ['http', target, 52],
  ] as const;
  for (const [probe, of, base] of phases) {
    db.prepare('INSERT INTO series (probe, target) VALUES (?, ?) ON CONFLICT DO NOTHING').run(probe, of);
    db.prepare(
      `WITH RECURSIVE round (at) AS (SELECT :from UNION ALL SELECT at + 30000 FROM round WHERE at < :now)
       INSERT INTO samples (series, at, duration_ms, failure)
       SELECT (SELECT id FROM series WHERE probe = :probe AND target = :of), at,
         :base * (1 + 0.12 * sin(at / 2.1e6) + 0.1 * sin(at / 0.61e6 + :base) + 0.9 * (abs(at - :now + 4.6e7) < 2.4e6)), NULL FROM round
       WHERE true ON CONFLICT DO NOTHING`,
    ).run({ from: now - days * DAY, now: now - 30 * SECOND, probe, of, base });
  }
  writeOutages(db, now, days);
  writeFigures(db, { now, days, appliance });
  db.exec('COMMIT');
}

/**
 * Outages by days ago, with their hours: they start in the morning so that none lasts past midnight, whenever a test
 * runs.
 */
const OUTAGES: readonly (readonly [day: number, hours: number])[] = [
  [71, 2.5],
  [70, 0.5],
  [44, 6],
  [20, 1],
  [3, 4],
];
const MORNING = 8 * HOUR;

function writeOutages(db: DatabaseSync, now: number, days: number): void {
  const insert = db.prepare(
    'INSERT OR REPLACE INTO precondition_states (precondition, from_at, until_at, state) VALUES (?, ?, ?, ?)',
  );
  for (const precondition of ['internet', 'name-resolution', 'reachability', 'license-server', 'mail', 'polling']) {
    insert.run(precondition, now - days * DAY, now, 'ok');
  }
  let from = now - days * DAY;
  for (const [day, hours] of OUTAGES) {
    const begin = Math.floor(now / DAY - day) * DAY + MORNING;
    if (begin < from) continue;
    insert.run('tls-genuine', from, begin, 'ok');
    insert.run('tls-genuine', begin, begin + hours * HOUR, 'broken');
    from = begin + hours * HOUR;
  }
  insert.run('tls-genuine', from, now, 'ok');
}

/** Users need about one token in a day and a half. New ones were bought once. */
const BOUGHT_DAYS_AGO = 52;

function writeFigures(
  db: DatabaseSync,
  { now, days, appliance }: Pick<LongHistory, 'now' | 'days' | 'appliance'>,
): void {
  const insert = db.prepare('INSERT OR REPLACE INTO figures (name, subject, at, value) VALUES (?, ?, ?, ?)');
  const thisHour = Math.floor(now / HOUR) * HOUR;
  for (let hour = 0; hour < days * 24; hour += 1) {
    const bought = hour < BOUGHT_DAYS_AGO * 24 ? 60 : 0;
    insert.run('tokens-left', appliance, thisHour - hour * HOUR, Math.round(hour / 32) + bought - 30);
  }
  const errors = [12, 31, 40, 9, 2];
  for (const [index, value] of errors.entries())
    insert.run('ftm-errors', appliance, thisHour - 3 * DAY + index * HOUR, value);
  insert.run('ftm-errors', appliance, thisHour - 5 * DAY, 1);
}
