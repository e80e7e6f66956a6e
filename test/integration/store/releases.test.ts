import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../../src/store/database.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { EMPTY_STATE } from '../../../src/engine/incident/incident.ts';
import { resume } from '../../../src/engine/incident/resume.ts';
import { HOUR, MINUTE, POLICY, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';
import { logRecorder, type LogRecorder } from '../../support/process/log-recorder.ts';
import { openedEntry, roundRecord } from '../../support/store/store-records.ts';
import { storedRows, TLS_SAMPLES } from '../../support/store/stored-rows.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const FIXTURES = new URL('../../fixtures/store/', import.meta.url).pathname;
const RELEASES = readdirSync(FIXTURES).filter((name) => statSync(join(FIXTURES, name)).isDirectory());
const DAY = 24 * HOUR;
const RETENTION = 90 * DAY;

const folder = folderOfEachTest();
let path: string;
let clock: HandClock;
let log: LogRecorder;
const opened: Store[] = [];

beforeEach(() => {
  path = folder.at('history.sqlite');
  clock = handClock(START + 5 * MINUTE);
  log = logRecorder();
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

function open(): Store {
  const store = createStore({ path, retention: RETENTION }, { clock, logger: log });
  opened.push(store);
  return store;
}

function restart(): Store {
  opened.pop()?.close();
  return open();
}

function take(release: string, ...changes: readonly string[]): void {
  copyFileSync(join(FIXTURES, release, 'history.sqlite'), path);
  using db = new DatabaseSync(path);
  for (const sql of changes) db.exec(sql);
}

/** Reads one value from the file, bypassing the program. */
function inFile(sql: string): unknown {
  using db = new DatabaseSync(path, { readOnly: true });
  return Object.values(db.prepare(sql).get() ?? {})[0];
}

function openCauses(store: Store): readonly string[] {
  return (store.journal.savedState()?.incidents ?? [])
    .filter(({ status }) => status === 'open')
    .map(({ cause }) => cause.id);
}

function recipients(store: Store): readonly string[] {
  return store.journal.pending().map(({ delivery }) => `${delivery.channel} ${delivery.recipient}`);
}

describe.each(RELEASES)('the store of release %s', (release) => {
  test('is taken over with its incidents, silences and pending notifications', () => {
    take(release);
    const store = open();

    expect(openCauses(store)).toEqual(['tls-intercepted', 'mail-unreachable']);
    expect(store.journal.savedState()?.silences).toMatchObject([{ cause: 'mail-unreachable', by: 'anna' }]);
    expect(recipients(store)).toEqual([
      'email a@example.org',
      'email b@example.org',
      'webhook https://hooks.example.org/ftm',
    ]);
    expect(storedRows(path, 'SELECT id FROM incidents')).toHaveLength(3);
    expect(store.deliveries(10)).toHaveLength(9);
    expect(storedRows(path, TLS_SAMPLES)).toHaveLength(5);
    store.recordRound(roundRecord(clock.now()));
    expect(store.writable()).toBe(true);
    expect(log.lines).toEqual([]);
  });

  const unknown = [
    `UPDATE incident_state SET json = replace(json, '"tls-intercepted"', '"token-imploded"')`,
    `UPDATE incidents SET cause = 'token-imploded', json = replace(json, '"tls-intercepted"', ` +
      `'"token-imploded"') WHERE cause = 'tls-intercepted'`,
    `UPDATE deliveries SET channel = 'pager' WHERE recipient = 'b@example.org' AND status = 'pending'`,
  ];

  test('loses only what has an unknown cause or channel, and tells of it once', () => {
    take(release, ...unknown);
    const store = open();
    expect(openCauses(store)).toEqual(['mail-unreachable']);
    expect(store.journal.savedState()?.silences).toHaveLength(1);
    expect(recipients(store)).toEqual(['email a@example.org', 'webhook https://hooks.example.org/ftm']);
    const state = store.journal.savedState();
    store.journal.record({ ...openedEntry(), state: { ...(state ?? openedEntry().state), maintenance: true } });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { notifications: 1, incidentsAndSilences: 1 } }]);
    expect(inFile('SELECT json FROM incident_state')).not.toContain('token-imploded');
    expect(inFile("SELECT count(*) FROM incidents WHERE cause = 'token-imploded'")).toBe(1);
    expect(inFile("SELECT status FROM deliveries WHERE channel = 'pager'")).toBe('pending');
    expect(openCauses(restart())).toEqual(['mail-unreachable']);
  });

  test('gives a notification for an unknown channel back to a program that knows it', () => {
    take(release, ...unknown);
    const store = open();
    const state = store.journal.savedState();
    store.journal.record({
      state: { ...(state ?? openedEntry().state), maintenance: true },
      incidents: [],
      outboxEntries: [],
    });
    opened.pop()?.close();
    using db = new DatabaseSync(path);
    db.exec(`UPDATE deliveries SET channel = 'email' WHERE channel = 'pager'`);
    expect(recipients(open())).toContain('email b@example.org');
  });

  test('keeps what is unknown for its retention only', () => {
    take(release, ...unknown);
    const store = open();
    const state = store.journal.savedState();
    store.journal.record({
      state: { ...(state ?? openedEntry().state), maintenance: true },
      incidents: [],
      outboxEntries: [],
    });
    clock.advance(RETENTION + 7 * DAY);
    store.recordRound(roundRecord(clock.now()));

    expect(inFile("SELECT count(*) FROM incidents WHERE cause = 'token-imploded'")).toBe(0);
    expect(inFile("SELECT count(*) FROM deliveries WHERE channel = 'pager' AND status = 'pending'")).toBe(0);
    expect(inFile('SELECT count(*) FROM incidents WHERE closed_at IS NULL')).toBe(1);
    expect(recipients(store)).toHaveLength(2);
  });

  test('is left as it is when a newer program has changed it, which is said with the way back', () => {
    take(release, 'PRAGMA user_version = 999');
    const before = readFileSync(path);
    const store = open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.journal.savedState()).toEqual(openedEntry().state);
    expect(store.newer()).toContain('Start the newer ftm-watch again, or restore the copy from before the upgrade');
    expect(log.lines).toHaveLength(1);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(folder.path)).toEqual(['history.sqlite']);
  });
});

describe('a store in which each cause was an incident, and two that alternated were merged', () => {
  const [old, blocked] = ['20261124T130030Z-a1b2c3d4e5-1', '20261124T130630Z-a1b2c3d4e5-7'];
  const policy = { ...POLICY, recoveries: 6 };

  test('goes on with one incident for each fault, and keeps silences and acknowledgements', () => {
    copyFileSync(join(FIXTURES, 'merged-incidents.sqlite'), path);
    const stored = open().journal.savedState() ?? EMPTY_STATE;
    const now = START + 450 * SECOND;
    const { state, effects } = resume(stored, { now, lastRound: now - 30 * SECOND }, policy);
    const goingOn = state.incidents.filter(({ status }) => status === 'open');

    expect(effects).toMatchObject([{ transition: 'closed', incident: { id: old } }]);
    expect(goingOn).toMatchObject([
      { cause: { id: 'mail-unreachable' }, acknowledgement: { by: 'anna' } },
      { id: blocked, cause: { id: 'tls-blocked' } },
    ]);
    expect(state.silences).toMatchObject([{ cause: 'tls-intercepted', by: 'anna' }]);
    expect(state.candidates).toHaveLength(1);
    expect(log.lines).toEqual([]);
  });

  test('ends with one message about each incident that was told', () => {
    copyFileSync(join(FIXTURES, 'merged-incidents.sqlite'), path);
    const line = timeline(policy);
    line.now = START + 450 * SECOND;
    const stored = open().journal.savedState() ?? EMPTY_STATE;
    line.state = resume(stored, { now: line.now, lastRound: line.now - 30 * SECOND }, policy).state;
    line.input({ kind: 'unsilence', at: line.now, id: line.state.silences[0]?.id ?? '' });
    const ends = ['resolved tls-intercepted', 'resolved tls-blocked', 'resolved mail-unreachable'];
    expect(line.rounds(8, []).heard().toSorted()).toEqual(ends.toSorted());
  });
});

describe('a store of an older version', () => {
  const FIRST = MIGRATIONS[0] ?? '';

  test('is copied before it is changed, and the copy can be put back', () => {
    using db = new DatabaseSync(path);
    db.exec(`${FIRST}; INSERT INTO incident_state VALUES (1, 'a state'); PRAGMA user_version = 1`);
    open().recordRound(roundRecord(START));
    expect(inFile('PRAGMA user_version')).toBe(MIGRATIONS.length);
    const copy = folder.at('history.sqlite.version-1-2026-11-24T130500.000Z');
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    using old = new DatabaseSync(copy, { readOnly: true });
    expect(
      old.prepare('SELECT json, (SELECT user_version FROM pragma_user_version) AS version FROM incident_state').get(),
    ).toEqual({ json: 'a state', version: 1 });
  });

  test('is not changed when it cannot be copied', () => {
    using db = new DatabaseSync(path);
    db.exec(`${FIRST}; PRAGMA user_version = 1`);
    copyFileSync(path, folder.at('history.sqlite.version-1-2026-11-24T130500.000Z'));
    const store = open();
    store.journal.record(openedEntry());
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(inFile('PRAGMA user_version')).toBe(1);
  });
});
