import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, it } from 'vitest';
import { MIGRATIONS } from '../../../src/store/database.ts';
import { prune } from '../../../src/store/alert-journal.ts';
import { openedEntry } from '../../support/store/store-records.ts';

const BEFORE = 1_000;

let db: DatabaseSync;
beforeEach(() => {
  db = new DatabaseSync(':memory:');
  for (const sql of MIGRATIONS) db.exec(sql);
  return () => {
    db.close();
  };
});

/** Returns a column of all remaining rows, sorted. */
function left(table: string, column: string): readonly unknown[] {
  return db
    .prepare(`SELECT ${column} AS kept FROM ${table} ORDER BY ${column}`)
    .all()
    .map(({ kept }) => kept);
}

function addSamples(...times: readonly number[]): void {
  db.exec("INSERT OR IGNORE INTO series VALUES (1, 'tls', 'host:443')");
  for (const at of times) db.prepare('INSERT INTO samples VALUES (1, ?, 1.5, NULL)').run(at);
}

it('drops what ended before the retention, and nothing that ended with its first moment', () => {
  addSamples(998, 999, 1_000);
  const state = db.prepare("INSERT INTO precondition_states VALUES (?, 1, ?, 'ok')");
  const certificate = db.prepare("INSERT INTO certificates VALUES ('host:443', ?, 'pem', 1, ?)");
  const figure = db.prepare("INSERT INTO figures VALUES ('tokens', 'fac-1', ?, 5)");
  for (const at of [999, 1_000]) {
    state.run(`until-${String(at)}`, at);
    certificate.run(`seen-${String(at)}`, at);
    figure.run(at);
  }
  expect(prune(db, BEFORE, 10)).toBe(true);
  expect(left('samples', 'at')).toEqual([1_000]);
  expect(left('precondition_states', 'precondition')).toEqual(['until-1000']);
  expect(left('certificates', 'fingerprint')).toEqual(['seen-1000']);
  expect(left('figures', 'at')).toEqual([1_000]);
});

it('drops the oldest first, no more than asked for, and says whether something is left', () => {
  addSamples(3, 1, 2, 4);
  expect(prune(db, BEFORE, 3)).toBe(false);
  expect(left('samples', 'at')).toEqual([4]);
  expect(prune(db, BEFORE, 3)).toBe(true);
  expect(left('samples', 'at')).toEqual([]);
});

/** Rows that are too old, for each table that retention deletes from. */
const OLD_ROWS: Readonly<Record<string, string>> = {
  samples: 'INSERT INTO samples SELECT 1, n, 1.5, NULL FROM numbers',
  precondition_states: "INSERT INTO precondition_states SELECT 'tls', -n, -n, 'ok' FROM numbers",
  certificates: "INSERT INTO certificates SELECT 'host:443', n, 'pem', 1, 1 FROM numbers",
  figures: "INSERT INTO figures SELECT 'tokens', 'fac-1', -n, 5 FROM numbers",
  audit: "INSERT INTO audit (at, action, account, detail) SELECT -n, 'reload', 'local', '' FROM numbers",
  incidents: "INSERT INTO incidents SELECT n, 'c', 's', 'critical', 1, 1, '{}' FROM numbers",
  notifications: "INSERT INTO notifications SELECT n, 'firing', 1, '{}' FROM numbers",
  deliveries: "INSERT INTO deliveries SELECT NULL, n, 'email', 'a', 'sent', 1, 0, NULL, 1, NULL, '' FROM numbers",
};

function fill(table: string, rows: number): void {
  addSamples();
  db.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${String(rows)})
    ${OLD_ROWS[table] ?? ''}`);
}

function size(table: string): number {
  return Number(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.['rows']);
}

it.each(Object.keys(OLD_ROWS).filter((table) => table !== 'deliveries'))(
  'drops rows of %s in batches, and says so until none is left',
  (table) => {
    fill(table, 250);
    expect([prune(db, BEFORE, 100), size(table)]).toEqual([false, 150]);
    expect([prune(db, BEFORE, 100), size(table)]).toEqual([false, 50]);
    expect([prune(db, BEFORE, 100), size(table)]).toEqual([true, 0]);
  },
);

it('counts the deliveries that go with a notification', () => {
  db.exec('PRAGMA foreign_keys = ON');
  fill('notifications', 100);
  for (const recipient of ['a', 'b', 'c', 'd'])
    db.exec(`INSERT INTO deliveries
      SELECT NULL, id, 'email', '${recipient}', 'sent', 1, 0, NULL, 1, NULL, '' FROM notifications`);
  expect([prune(db, BEFORE, 100), size('deliveries')]).toEqual([false, 300]);
});

it('keeps a notification that is still to be delivered, and takes its deliveries with it when it goes', () => {
  const [json = ''] = openedEntry().outboxEntries.map((entry) => JSON.stringify(entry.notification));
  const notification = db.prepare("INSERT INTO notifications VALUES (?, 'firing', ?, ?)");
  const delivery = db.prepare("INSERT INTO deliveries VALUES (NULL, ?, 'email', ?, ?, 1, 0, NULL, 1, NULL, '')");
  for (const [id, at] of [
    ['old', 999],
    ['waits', 999],
    ['new', 1_000],
  ] as const)
    notification.run(id, at, json);
  delivery.run('old', 'a', 'sent');
  delivery.run('waits', 'a', 'sent');
  delivery.run('waits', 'b', 'pending');
  db.exec('PRAGMA foreign_keys = ON');
  prune(db, BEFORE, 10);
  expect(left('notifications', 'id')).toEqual(['new', 'waits']);
  expect(left('deliveries', 'notification')).toEqual(['waits', 'waits']);
});

it('keeps an open incident, unless only another version can read it', () => {
  const [readable = ''] = openedEntry().incidents.map((incident) => JSON.stringify(incident));
  const incident = db.prepare("INSERT INTO incidents VALUES (?, 'c', 's', 'critical', ?, ?, ?)");
  incident.run('ended', 1, 999, readable);
  incident.run('ended-later', 1, 1_000, readable);
  incident.run('open', 1, null, readable);
  incident.run('unread', 999, null, '{}');
  incident.run('unread-later', 1_000, null, '{}');
  db.prepare('INSERT INTO incident_state VALUES (1, ?)').run(JSON.stringify({ incidents: [{ id: 'open' }] }));
  prune(db, BEFORE, 10);
  expect(left('incidents', 'id')).toEqual(['ended-later', 'open', 'unread-later']);
});
