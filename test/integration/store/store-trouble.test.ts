import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore } from '../../../src/store/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import type { HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import type { LogRecorder } from '../../support/process/log-recorder.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { msOf, msOfWait } from '../../support/store/lock-wait.ts';
import { openedEntry, roundRecord, sentDelivery } from '../../support/store/store-records.ts';
import { storedRows, TLS_SAMPLES } from '../../support/store/stored-rows.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const DAY = 24 * HOUR;

const folder = folderOfEachTest();
let path: string;
let clock: HandClock;
let log: LogRecorder;
const opened: Store[] = [];

beforeEach(() => {
  path = folder.at('data', 'history.sqlite');
  clock = handClock(START);
  log = logRecorder();
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

function open(file = path): Store {
  const store = createStore({ path: file, retention: 90 * DAY }, { clock, logger: log });
  opened.push(store);
  return store;
}

describe('a locked file', () => {
  it('costs history for a while, with one warning, and nothing of the alerts', () => {
    const store = open();
    store.recordRound(roundRecord(START));
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    const wait = msOfWait(path);
    const took = msOf(() => {
      store.journal.record(openedEntry());
      for (let index = 1; index < 20; index += 1) store.recordRound(roundRecord(START + index * SECOND));
    });
    expect(took).toBeLessThan(10 * wait);
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);

    other.exec('COMMIT');
    other.close();
    clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 30 * SECOND));
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(store.writable()).toBe(true);
    expect(storedRows(path, TLS_SAMPLES)).toHaveLength(21);
    const after = open();
    expect(after.journal.pending()).toHaveLength(1);
    expect(after.journal.savedState()).toEqual(openedEntry().state);
  });

  it('at the start loses no mail of before', () => {
    open().journal.record(openedEntry());
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE; PRAGMA locking_mode = EXCLUSIVE;');
    const store = open();
    store.journal.savedState();
    other.exec('COMMIT');
    other.close();
    clock.advance(10 * SECOND);
    expect(store.journal.pending()).toHaveLength(2);
  });
});

describe('a file that cannot be used', () => {
  it.each([
    ['no database at all', Buffer.from('this is a text file, '.repeat(500))],
    ['a damaged one', null],
  ])('is set aside and named: %s', (_, content) => {
    const first = open();
    first.journal.record(openedEntry());
    for (let index = 0; index < 50; index += 1) first.recordRound(roundRecord(START + index * SECOND));
    first.close();
    const damaged =
      content ??
      Buffer.concat([readFileSync(path).subarray(0, 4_096), Buffer.alloc(statSync(path).size - 4_096, 0x5a)]);
    writeFileSync(path, damaged);

    const store = open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(true);
    expect(storedRows(path, 'SELECT id FROM incidents')).toHaveLength(1);
    const aside = readdirSync(folder.at('data')).filter((name) => name.includes('.corrupt-'));
    expect(aside.filter((name) => name === 'history.sqlite.corrupt-2026-11-24T130000.000Z')).toHaveLength(1);
    expect(readFileSync(folder.at('data', 'history.sqlite.corrupt-2026-11-24T130000.000Z')).equals(damaged)).toBe(true);
    expect(JSON.stringify(log.lines)).toContain('history.sqlite.corrupt-2026-11-24T130000.000Z');
  });

  it('gets all that is pending again when it is damaged while in use', () => {
    const store = open();
    store.journal.record(openedEntry());
    // More than SQLite's cache holds, so that SQLite has to read the damaged file.
    const certificates = Array.from({ length: 100 }, (_, index) => ({
      target: 'host:443',
      fingerprint: String(index),
      pem: 'x'.repeat(60_000),
    }));
    store.recordRound({ ...roundRecord(START), certificates });
    const other = new DatabaseSync(path);
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    const size = statSync(path).size;
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4_096), Buffer.alloc(size - 4_096, 0x5a)]));
    expect(store.deliveries(10)).toEqual([]);
    store.journal.record({ ...openedEntry(), outboxEntries: [], incidents: [] });
    const after = open();
    expect(after.journal.pending()).toHaveLength(2);
    expect(after.journal.savedState()).toEqual(openedEntry().state);
  });

  it.each([
    [
      'deleted with its folder',
      () => {
        rmSync(folder.at('data'), { recursive: true });
      },
    ],
    [
      'replaced by an older copy',
      () => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
        createStore({ path, retention: DAY }, { clock, logger: logRecorder() }).close();
      },
    ],
  ])('gets all that is pending again when it is %s while in use', (_, happen) => {
    const store = open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    happen();
    store.journal.record({ ...openedEntry(), outboxEntries: [], incidents: [] });
    store.recordRound(roundRecord(START + SECOND));
    expect(store.writable()).toBe(true);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const after = open();
    expect(after.journal.pending()).toHaveLength(2);
    expect(after.journal.savedState()).toEqual(openedEntry().state);
    expect(storedRows(path, TLS_SAMPLES)).toHaveLength(1);
  });

  it('is left alone when a newer program wrote it', () => {
    open().recordRound(roundRecord(START));
    const other = new DatabaseSync(path);
    other.exec('PRAGMA user_version = 999');
    other.close();
    const store = open();
    store.journal.record(openedEntry());
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(JSON.stringify(log.lines)).toContain('Start the newer ftm-watch again');
  });

  it('is a folder: alerts go on in memory', () => {
    const store = open(folder.path);
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(false);
    expect(store.journal.savedState()).toEqual(openedEntry().state);
    expect(store.deliveries(10)).toEqual([]);
    expect(log.lines).toHaveLength(1);
  });
});

describeWhere(['root', { program: 'mount' }], 'a file system of its own', () => {
  let mount: string;

  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'ftm-watch-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
  });

  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
    execFileSync('umount', [mount]);
    rmSync(mount, { recursive: true });
  });

  it('when full, costs history only, and is used again when it has room', () => {
    const store = open(join(mount, 'history.sqlite'));
    store.recordRound(roundRecord(START));
    writeFileSync(join(mount, 'fill'), '');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${mount}/fill bs=4k 2>/dev/null || true`]);
    for (let index = 1; index < 60; index += 1) {
      clock.advance(10 * SECOND);
      store.recordRound(roundRecord(clock.now()));
    }
    store.journal.record(openedEntry());
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    rmSync(join(mount, 'fill'));
    clock.advance(10 * SECOND);
    store.recordRound(roundRecord(clock.now()));
    expect(store.writable()).toBe(true);
    expect(open(join(mount, 'history.sqlite')).journal.pending()).toHaveLength(2);
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(open(join(mount, 'history.sqlite')).journal.pending()).toHaveLength(1);
  });

  it('when mounted read-only, costs history only', () => {
    const file = join(mount, 'history.sqlite');
    open(file).close();
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    const store = open(file);
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
  });
});
