import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { MIGRATIONS } from '../../../src/store/database.ts';
import { type Store } from '../../../src/store/store.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, START } from '../../support/store/incident-timeline.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { roundRecord } from '../../support/store/store-records.ts';
import { storedRows } from '../../support/store/stored-rows.ts';
import { storeBench } from '../../support/store/store-bench.ts';

const DAY = 24 * HOUR;

const bench = storeBench();

let store: Store;
beforeEach(() => {
  store = bench.open();
});

const INCIDENT: Incident = { ...incidentOf(causeOf('tls-intercepted')), id: 'ours', since: START };

function change(more: Partial<AuditEntry>): AuditEntry {
  const nothing = { address: null, incident: null, cause: null, subject: null, detail: '' };
  return { at: START, action: 'comment', account: 'ada', ...nothing, ...more };
}

/** Writes in a single transaction, as another process would. */
function insert(entries: readonly AuditEntry[]): void {
  // This creates the file.
  store.auditTrail(1);
  using db = new DatabaseSync(bench.path);
  db.exec('BEGIN');
  const one = db.prepare(
    'INSERT INTO audit (at, action, account, address, incident, cause, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ' +
      '?)',
  );
  for (const { at, action, account, address, incident, cause, subject, detail } of entries)
    one.run(at, action, account, address, incident, cause, subject, detail);
  db.exec('COMMIT');
}

function many<T>(count: number, of: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => of(index));
}

describe('what was changed', () => {
  it('is kept for the whole retention, however much it is, and read page by page', () => {
    store.recordChange(change({ detail: 'first' }));
    insert(many(25_000, (index) => change({ action: 'reload', account: 'automation', at: START + index })));
    bench.clock.advance(80 * DAY);
    store.recordRound(roundRecord(START + 80 * DAY));

    let [read, before] = [0, Number.MAX_SAFE_INTEGER];
    let last = '';
    for (;;) {
      const page = store.auditTrail(1_000, { before });
      if (page.length === 0) break;
      read += page.length;
      before = page.at(-1)?.id ?? 0;
      last = page.at(-1)?.detail ?? '';
    }
    expect([read, last]).toEqual([25_001, 'first']);
  });

  it('is read for one incident alone', () => {
    store.recordChange(change({ incident: 'ours', detail: 'ours' }));
    store.recordChange(change({ incident: 'another', detail: 'of another' }));
    expect(store.auditTrail(10, { incident: 'ours' }).map(({ detail }) => detail)).toEqual(['ours']);
  });
});

describe('what people said about an incident', () => {
  const SAID = [
    change({ incident: 'ours', detail: 'Asked the provider', at: START + MINUTE }),
    change({ incident: 'ours', action: 'acknowledge', account: 'grace', at: START + 2 * MINUTE }),
  ];

  it.each<[string, (index: number) => AuditEntry]>([
    ['reloads while it lasts', (at) => change({ action: 'reload', account: 'automation', at: START + at })],
    ['silences of everything', (at) => change({ action: 'add-silence', account: 'automation', at: START + at })],
    ['silences of another cause', (at) => change({ action: 'add-silence', cause: 'mail-slow', at: START + at })],
    ['comments of a program', (at) => change({ incident: 'ours', account: 'automation', at: START + at })],
    [
      'acknowledgements of a program',
      (at) =>
        change({ incident: 'ours', account: 'automation', action: at % 2 === 0 ? 'acknowledge' : 'unacknowledge' }),
    ],
  ])('is not displaced by thousands of %s', (_, flood) => {
    for (const said of SAID) store.recordChange(said);
    insert(many(5_000, flood));
    const { changes } = store.auditAbout(INCIDENT);
    expect(changes).toContainEqual(expect.objectContaining(SAID[0]));
    expect(changes).toContainEqual(expect.objectContaining(SAID[1]));
    expect(changes.length).toBeLessThan(300);
  });

  it.each<[string, boolean, Partial<AuditEntry>]>([
    ['a silence of its cause', true, { cause: 'tls-intercepted' }],
    ['a silence of every cause', true, {}],
    ['a silence of another cause', false, { cause: 'mail-slow' }],
    ['a silence of its subject', true, { subject: causeOf('tls-intercepted').subject }],
    ['a silence of another subject', false, { subject: 'another:443' }],
    ['a reload', false, { action: 'reload' }],
    ['a silence before it', false, { at: START - 1 }],
    ['a silence after it', false, { at: START + HOUR + 1 }],
    ['a silence during an earlier occurrence', true, { at: START - 3 * HOUR }],
  ])('%s belongs to it: %s', (_, belongs, more) => {
    const earlier = { ...INCIDENT, since: START - 4 * HOUR };
    const incident = { ...INCIDENT, closedAt: START + HOUR };
    const reopened = { ...incident, earlier: [earlier] };
    store.recordChange(change({ action: 'add-silence', at: START + MINUTE, ...more }));
    const about = more.at === START - 3 * HOUR ? reopened : incident;
    expect(store.auditAbout(about).changes).toHaveLength(belongs ? 1 : 0);
  });

  it('is folded when one account says too much: the first and the latest are given, and how many more there are', () => {
    insert(many(500, (index) => change({ incident: 'ours', at: START + index, detail: String(index) })));
    store.recordChange(change({ incident: 'ours', action: 'acknowledge' }));
    const { changes, omitted } = store.auditAbout(INCIDENT);
    const said = changes.filter(({ action }) => action === 'comment').map(({ detail }) => Number(detail));
    expect(said).toEqual([...many(100, (index) => 499 - index), ...many(10, (index) => 9 - index)]);
    expect(omitted).toBe(390);
    expect(changes[0]?.action).toBe('acknowledge');
  });

  it('is nothing where nobody said anything', () => {
    expect(store.auditAbout(INCIDENT)).toEqual({ changes: [], omitted: 0 });
  });
});

/** The last version in which refused changes were in the audit table. */
const FORMER = 5;

describe('refused changes', () => {
  function refuse(account: string, address: string | null, at = START): void {
    store.recordRefusal({ account, address, at, action: 'comment' });
  }

  it('are counted for each account, address and minute, over rounds and restarts', () => {
    for (const at of [START, START + 1, START + 30_000, START + MINUTE]) refuse('viewer', '10.0.0.7', at);
    store.recordRound(roundRecord(START));
    refuse('viewer', '10.0.0.7', START + 40_000);
    refuse('viewer', null, START + 40_000);
    store.close();
    store = bench.open();
    const one = { account: 'viewer', address: '10.0.0.7', action: 'comment' };
    expect(store.refusedChanges(10)).toEqual([
      { ...one, first: START + MINUTE, last: START + MINUTE, count: 1 },
      { ...one, first: START, last: START + 40_000, count: 4 },
      { ...one, address: null, first: START + 40_000, last: START + 40_000, count: 1 },
    ]);
  });

  it('of one account never push out those of another, from however many addresses they come', () => {
    refuse('grace', '10.0.0.1', START - HOUR);
    for (const index of many(5_000, (index) => index)) refuse('viewer', `2001:db8::${index.toString(16)}`);
    const kept = store.refusedChanges(10_000);
    expect(kept).toHaveLength(1_000);
    expect(kept.at(-1)).toMatchObject({ account: 'grace', count: 1 });
  });

  it('cost no row and no memory without bounds while the file is locked', () => {
    store.recordRound(roundRecord(START));
    const other = new DatabaseSync(bench.path);
    other.exec('BEGIN EXCLUSIVE');
    for (const index of many(2_000, (index) => index))
      refuse('viewer', `10.0.${String(index >> 8)}.${String(index & 255)}`);
    expect(store.refusedChanges(10_000)).toHaveLength(200);
    other.close();
    bench.clock.advance(10_000);
    store.recordRound(roundRecord(START + 10_000));
    expect(storedRows(bench.path, 'SELECT * FROM refused_changes')).toHaveLength(200);
  });

  it('are dropped after the retention', () => {
    refuse('viewer', '10.0.0.7');
    store.recordRound(roundRecord(START));
    bench.clock.advance(91 * DAY);
    store.recordRound(roundRecord(START + 91 * DAY));
    expect(store.refusedChanges(10)).toEqual([]);
  });

  it('of the former layout leave the audit trail', () => {
    const old = bench.folder.at('old', 'history.sqlite');
    mkdirSync(dirname(old));
    using db = new DatabaseSync(old);
    for (const sql of MIGRATIONS.slice(0, FORMER)) db.exec(sql);
    db.exec(`PRAGMA user_version = ${String(FORMER)}`);
    const row = db.prepare(
      "INSERT INTO audit (at, action, account, address, refused, detail) VALUES (?, 'comment', ?, ?, ?, 'x')",
    );
    row.run(START, 'ada', '10.0.0.1', null);
    row.run(START, 'viewer', '10.0.0.7', 'role');
    row.run(START + 1, 'viewer', '10.0.0.7', 'role');
    row.run(START + 1, 'viewer', null, 'role');
    const moved = bench.open(old);
    expect(moved.auditTrail(10).map(({ account }) => account)).toEqual(['ada']);
    expect(moved.refusedChanges(10)).toMatchObject([
      { account: 'viewer', address: null, count: 1 },
      { account: 'viewer', address: '10.0.0.7', first: START, last: START + 1, count: 2 },
    ]);
  });
});
