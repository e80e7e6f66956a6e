import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { readStoredHistory, readStoredIncident } from '../../../src/store/stored-history.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { openedEntry, roundRecord } from '../../support/store/store-records.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const LIMITS = { incidents: 10, outboxEntries: 10, certificates: 10 };

const folder = folderOfEachTest();
let path: string;

beforeEach(() => {
  path = folder.at('ftm-watch.sqlite');
});
function daemonStore(): Store {
  const store = createStore(
    { path, retention: 1e12 },
    { clock: systemClock, logger: { info: () => undefined, warn: () => undefined } },
  );
  store.recordRound(roundRecord(START));
  store.journal.record(openedEntry());
  return store;
}

/** Changes the file as another program does. */
function change(sql: string): void {
  using db = new DatabaseSync(path);
  db.exec(sql);
}

describe('what a daemon has kept', () => {
  test('is read while it goes on writing', () => {
    const store = daemonStore();
    const history = readStoredHistory(path, LIMITS);
    expect(history).toMatchObject({
      kind: 'read',
      olderIncidents: 0,
      olderEntries: 0,
      certificates: [{ target: 'host:443', fingerprint: 'AA:BB' }],
    });
    expect(history.kind === 'read' && [history.incidents.length, history.outboxEntries.length]).toEqual([1, 2]);
    store.recordRound(roundRecord(START + 1_000));
    expect(store.writable()).toBe(true);
    store.close();
  });

  test('has an incident from the first round that showed it, before it was confirmed', () => {
    const store = daemonStore();
    const [incident] = openedEntry().incidents;
    if (incident === undefined) throw new Error('No incident');
    const confirmed = { ...incident, id: 'slow', since: START - 60_000, openedAt: START + 60_000 };
    store.journal.record({ ...openedEntry(), incidents: [confirmed], outboxEntries: [] });
    const history = readStoredHistory(path, LIMITS, { since: START - 60_000, until: START - 30_000 });
    expect(history).toMatchObject({ kind: 'read', incidents: [{ id: 'slow' }] });
    store.close();
  });

  test('has one incident by its id, and names the latest instead of one that it has not', () => {
    const store = daemonStore();
    const history = readStoredHistory(path, LIMITS);
    const [known] = history.kind === 'read' ? history.incidents : [];
    expect(readStoredIncident(path, known?.id ?? '', 5)).toMatchObject({
      kind: 'found',
      incident: known,
      outboxEntries: [{ delivery: { recipient: 'b@example.org' } }, { delivery: { recipient: 'a@example.org' } }],
      about: { changes: [], omitted: 0 },
    });
    expect(readStoredIncident(path, 'other', 5)).toEqual({ kind: 'missing', latest: [known] });
    store.close();
  });

  test('has an open incident as the daemon last saw it, not as it was when it opened', () => {
    const store = daemonStore();
    const { state } = openedEntry();
    const incidents = state.incidents.map((one) => ({ ...one, lastSeen: START + 3_600_000 }));
    store.journal.record({ state: { ...state, incidents }, incidents: [], outboxEntries: [] });
    expect(readStoredIncident(path, incidents[0]?.id ?? '', 5)).toMatchObject({
      kind: 'found',
      incident: { status: 'open', lastSeen: START + 3_600_000 },
    });
    store.close();
  });

  test('has one incident of a release that did not record changes', () => {
    copyFileSync(new URL('../../fixtures/store/0.1.0/history.sqlite', import.meta.url), path);
    expect(readStoredIncident(path, '20261124T130030Z-1', 5)).toMatchObject({
      kind: 'found',
      incident: { id: '20261124T130030Z-1' },
      about: { changes: [], omitted: 0 },
    });
  });

  test('has no incident where nothing was kept, or it cannot be read', () => {
    expect(readStoredIncident(path, 'any', 5)).toEqual({ kind: 'none' });
    writeFileSync(path, 'no database');
    expect(readStoredIncident(path, 'any', 5)).toMatchObject({ kind: 'unreadable' });
  });

  test('is read when it is over', () => {
    daemonStore().close();
    const before = readFileSync(path);
    expect(readStoredHistory(path, LIMITS).kind).toBe('read');
    expect(readFileSync(path)).toEqual(before);
  });

  test('is counted where it is too much', () => {
    daemonStore().close();
    expect(readStoredHistory(path, { incidents: 0, outboxEntries: 1, certificates: 0 })).toMatchObject({
      olderIncidents: 1,
      olderEntries: 1,
      certificates: [],
    });
  });

  test('is that of a period', () => {
    daemonStore().close();
    const found = (since: number | null, until: number | null): readonly number[] => {
      const history = readStoredHistory(path, LIMITS, { since, until });
      return history.kind === 'read'
        ? [history.incidents, history.outboxEntries, history.certificates].map(({ length }) => length)
        : [];
    };
    const opened = START + 30_000;
    expect(found(START, opened)).toEqual([1, 2, 1]);
    expect(found(null, START - 1)).toEqual([0, 0, 0]);
    // The incident is still open. The other entries are older.
    expect(found(opened + 1, null)).toEqual([1, 0, 0]);
    expect(readStoredHistory(path, { ...LIMITS, outboxEntries: 0 }, { since: opened + 1, until: null })).toMatchObject({
      olderEntries: 0,
    });
  });

  test('is nothing where there is no file, or an empty one', () => {
    expect(readStoredHistory(path, LIMITS)).toEqual({ kind: 'none' });
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, '');
    expect(readStoredHistory(path, LIMITS)).toEqual({ kind: 'none' });
  });

  test.each([
    ['is no database', () => writeFileSync(path, 'nothing'.repeat(1_000)), 'file is not a database'],
    [
      'is cut',
      () => {
        daemonStore().close();
        writeFileSync(path, readFileSync(path).subarray(0, 8_192));
      },
      'database disk image is malformed',
    ],
    ['is of a newer program', () => change('PRAGMA user_version = 999'), 'version 999'],
    ['lacks its tables', () => change('PRAGMA user_version = 1'), 'no such table'],
  ])('cannot be read when it %s, and is left as it is', (_, make, message) => {
    make();
    const before = readFileSync(path);
    expect(readStoredHistory(path, LIMITS)).toMatchObject({
      kind: 'unreadable',
      message: expect.stringContaining(message),
    });
    expect(readFileSync(path)).toEqual(before);
  });

  test('cannot be read while it is locked', () => {
    using db = new DatabaseSync(path);
    db.exec('PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE a (b)');
    expect(readStoredHistory(path, LIMITS)).toEqual({ kind: 'unreadable', message: 'database is locked' });
  });

  test('cannot be read where a directory stands in its place', () => {
    expect(readStoredHistory(folder.path, LIMITS).kind).toBe('unreadable');
  });
});
