import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import { createStore } from '../../../src/store/store.ts';
import { lockStore } from '../../../src/store/store-lock.ts';
import type { Store } from '../../../src/store/store.ts';
import { HOUR, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { msOf, msOfWait } from '../../support/store/lock-wait.ts';
import { openedEntry, roundRecord, sentDelivery } from '../../support/store/store-records.ts';
import { storedRows, TLS_SAMPLES } from '../../support/store/stored-rows.ts';
import { storeBench } from '../../support/store/store-bench.ts';

const DAY = 24 * HOUR;

const bench = storeBench();

describe('a locked file', () => {
  it('costs history for a while, with one warning, and nothing of the alerts', () => {
    const store = bench.open();
    store.recordRound(roundRecord(START));
    const other = lockedBy(bench.path);
    const wait = msOfWait(bench.path);
    const took = msOf(() => {
      store.journal.record(openedEntry());
      for (let index = 1; index < 20; index += 1) store.recordRound(roundRecord(START + index * SECOND));
    });
    expect(took).toBeLessThan(10 * wait);
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);

    other.exec('COMMIT');
    other.close();
    bench.clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 30 * SECOND));
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(store.writable()).toBe(true);
    expect(storedRows(bench.path, TLS_SAMPLES)).toHaveLength(21);
    const after = bench.open();
    expect(after.journal.pending()).toHaveLength(1);
    expect(after.journal.savedState()).toEqual(openedEntry().state);
  });

  it('at the start loses no mail of before', () => {
    bench.open().journal.record(openedEntry());
    const other = new DatabaseSync(bench.path);
    other.exec('BEGIN EXCLUSIVE; PRAGMA locking_mode = EXCLUSIVE;');
    const store = bench.open();
    store.journal.savedState();
    other.exec('COMMIT');
    other.close();
    bench.clock.advance(10 * SECOND);
    expect(store.journal.pending()).toHaveLength(2);
  });
});

/** Overwrites all but the beginning of the file. @returns its bytes */
function damage(): Buffer {
  const bytes = readFileSync(bench.path);
  const damaged = Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 0x5a)]);
  writeFileSync(bench.path, damaged);
  return damaged;
}

/** Checks that a store that is opened now has everything that `openedEntry` has left to send. */
function expectAllPending(): void {
  const after = bench.open();
  expect(after.journal.pending()).toHaveLength(2);
  expect(after.journal.savedState()).toEqual(openedEntry().state);
}

describe('a file that cannot be used', () => {
  it.each([
    ['no database at all', (): void => writeFileSync(bench.path, 'this is a text file, '.repeat(500))],
    ['a damaged one', damage],
  ])('is set aside and named: %s', (_, spoil) => {
    const first = bench.open();
    first.journal.record(openedEntry());
    for (let index = 0; index < 50; index += 1) first.recordRound(roundRecord(START + index * SECOND));
    first.close();
    spoil();
    const damaged = readFileSync(bench.path);

    const store = bench.open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(true);
    expect(storedRows(bench.path, 'SELECT id FROM incidents')).toHaveLength(1);
    const aside = 'history.sqlite.corrupt-2026-11-24T130000.000Z';
    expect(readdirSync(bench.folder.at('data'))).toContain(aside);
    expect(readFileSync(bench.folder.at('data', aside)).equals(damaged)).toBe(true);
    expect(JSON.stringify(bench.log.lines)).toContain(aside);
  });

  it('gets all that is pending again when it is damaged while in use', () => {
    const store = bench.open();
    store.journal.record(openedEntry());
    // More than SQLite's cache holds, so that SQLite has to read the damaged file.
    const certificates = Array.from({ length: 100 }, (_, index) => ({
      target: 'host:443',
      fingerprint: String(index),
      pem: 'x'.repeat(60_000),
    }));
    store.recordRound({ ...roundRecord(START), certificates });
    const other = new DatabaseSync(bench.path);
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    damage();
    expect(store.deliveries(10)).toEqual([]);
    store.journal.record({ ...openedEntry(), outboxEntries: [], incidents: [] });
    expectAllPending();
  });

  it.each([
    ['deleted with its folder', () => rmSync(bench.folder.at('data'), { recursive: true })],
    [
      'replaced by an older copy',
      () => {
        for (const suffix of ['', '-wal', '-shm']) rmSync(bench.path + suffix, { force: true });
        createStore({ path: bench.path, retention: DAY }, { clock: bench.clock, logger: logRecorder() }).close();
      },
    ],
  ])('gets all that is pending again when it is %s while in use', (_, happen) => {
    const store = bench.open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    happen();
    store.journal.record({ ...openedEntry(), outboxEntries: [], incidents: [] });
    store.recordRound(roundRecord(START + SECOND));
    expect(store.writable()).toBe(true);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expectAllPending();
    expect(storedRows(bench.path, TLS_SAMPLES)).toHaveLength(1);
  });

  it('is a folder: alerts go on in memory', () => {
    const store = bench.open(bench.folder.path);
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(false);
    expect(store.journal.savedState()).toEqual(openedEntry().state);
    expect(store.deliveries(10)).toEqual([]);
    expect(bench.log.lines).toHaveLength(1);
  });
});

describeWhere(['root', { program: 'mount' }], 'a file system of its own', () => {
  let mount: string;
  const stores: Store[] = [];
  const openAt = (): Store => {
    const store = bench.open(join(mount, 'history.sqlite'));
    stores.push(store);
    return store;
  };

  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'ftm-watch-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount]);
  });

  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
    execFileSync('umount', [mount]);
    rmSync(mount, { recursive: true });
  });

  it('when full, is still used by one daemon only', () => {
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${mount}/fill bs=4k 2>/dev/null || true`]);
    const path = join(mount, 'history.sqlite');
    const lock = lockStore(path, bench.log);
    expect(() => lockStore(path, bench.log)).toThrow(path);
    lock.release();
    lockStore(path, bench.log).release();
    expect(bench.log.lines).toEqual([]);
  });

  it('when full, costs history only, and is used again when it has room', () => {
    const store = openAt();
    store.recordRound(roundRecord(START));
    writeFileSync(join(mount, 'fill'), '');
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${mount}/fill bs=4k 2>/dev/null || true`]);
    for (let index = 1; index < 60; index += 1) {
      bench.clock.advance(10 * SECOND);
      store.recordRound(roundRecord(bench.clock.now()));
    }
    store.journal.record(openedEntry());
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    rmSync(join(mount, 'fill'));
    bench.clock.advance(10 * SECOND);
    store.recordRound(roundRecord(bench.clock.now()));
    expect(store.writable()).toBe(true);
    expect(openAt().journal.pending()).toHaveLength(2);
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(openAt().journal.pending()).toHaveLength(1);
  });

  it('when mounted read-only, costs history only', () => {
    openAt().close();
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    const store = openAt();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    expect(store.writable()).toBe(false);
    expect(store.journal.pending()).toHaveLength(2);
  });
});

describe('changes that somebody made while the file is locked', () => {
  it('are kept, in order, when the lock is gone', () => {
    const store = bench.open();
    store.recordChange(change(START, 'first'));
    const other = lockedBy(bench.path);
    store.recordChange(change(START + SECOND, 'second'));
    other.close();
    // After a failure, there is a pause before the next attempt on the file.
    store.recordChange(change(START + 2 * SECOND, 'third'));
    bench.clock.advance(10 * SECOND);
    expect(store.auditTrail(10).map(({ detail }) => detail)).toEqual(['third', 'second', 'first']);
    store.recordRound(roundRecord(START + 10 * SECOND));
    expect(storedRows(bench.path, 'SELECT detail FROM audit ORDER BY sequence')).toHaveLength(3);
  });

  it('are kept with the next round when nobody asks for them', () => {
    const store = bench.open();
    store.recordRound(roundRecord(START));
    const other = lockedBy(bench.path);
    store.recordChange(change(START, 'only'));
    other.close();
    bench.clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 10 * SECOND));
    expect(storedRows(bench.path, 'SELECT detail FROM audit')).toHaveLength(1);
  });

  it('are bounded: the oldest are dropped', () => {
    const store = bench.open();
    store.recordRound(roundRecord(START));
    const other = lockedBy(bench.path);
    for (let index = 0; index < 1_500; index += 1) store.recordChange(change(START + index, String(index)));
    other.close();
    bench.clock.advance(10 * SECOND);
    const kept = store.auditTrail(2_000);
    expect(kept).toHaveLength(1_000);
    expect(kept[0]?.detail).toBe('1499');
  });
});

it('a store writes all that waits when it is closed right after a failure', () => {
  const store = bench.open();
  store.recordRound(roundRecord(START));
  const other = lockedBy(bench.path);
  store.recordRound(roundRecord(START + SECOND));
  store.journal.record(openedEntry());
  store.recordChange(change(START, 'waits'));
  other.close();
  store.close();
  expect(storedRows(bench.path, 'SELECT detail FROM audit')).toHaveLength(1);
  expect(storedRows(bench.path, TLS_SAMPLES)).toHaveLength(2);
  expect(storedRows(bench.path, 'SELECT id FROM incidents')).toHaveLength(1);
});

/** Simulates another process that is writing, until the returned database is closed. */
function lockedBy(file: string): DatabaseSync {
  const other = new DatabaseSync(file);
  other.exec('BEGIN EXCLUSIVE');
  return other;
}

function change(at: number, detail: string): AuditEntry {
  const nothing = { incident: null, cause: null, subject: null };
  return { at, action: 'add-silence', account: 'alice', address: null, detail, ...nothing };
}
