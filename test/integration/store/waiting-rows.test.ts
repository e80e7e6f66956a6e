import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import { createStore } from '../../../src/store/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import type { HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { openedEntry, roundRecord } from '../../support/store/store-records.ts';
import { storedRows, TLS_SAMPLES } from '../../support/store/stored-rows.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const DAY = 24 * HOUR;

const folder = folderOfEachTest();
let path: string;
let clock: HandClock;
const opened: Store[] = [];

beforeEach(() => {
  path = folder.at('data', 'history.sqlite');
  clock = handClock(START);
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

function open(file = path): Store {
  const store = createStore({ path: file, retention: 90 * DAY }, { clock, logger: logRecorder() });
  opened.push(store);
  return store;
}

describe('changes that somebody made while the file is locked', () => {
  it('are kept, in order, when the lock is gone', () => {
    const store = open();
    store.recordChange(change(START, 'first'));
    const other = lockedBy(path);
    store.recordChange(change(START + SECOND, 'second'));
    other.close();
    // After a failure, there is a pause before the next attempt on the file.
    store.recordChange(change(START + 2 * SECOND, 'third'));
    clock.advance(10 * SECOND);
    expect(store.auditTrail(10).map(({ detail }) => detail)).toEqual(['third', 'second', 'first']);
    store.recordRound(roundRecord(START + 10 * SECOND));
    expect(storedRows(path, 'SELECT detail FROM audit ORDER BY sequence')).toHaveLength(3);
  });

  it('are kept with the next round when nobody asks for them', () => {
    const store = open();
    store.recordRound(roundRecord(START));
    const other = lockedBy(path);
    store.recordChange(change(START, 'only'));
    other.close();
    clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 10 * SECOND));
    expect(storedRows(path, 'SELECT detail FROM audit')).toHaveLength(1);
  });

  it('are bounded: the oldest are dropped', () => {
    const store = open();
    store.recordRound(roundRecord(START));
    const other = lockedBy(path);
    for (let index = 0; index < 1_500; index += 1) store.recordChange(change(START + index, String(index)));
    other.close();
    clock.advance(10 * SECOND);
    const kept = store.auditTrail(2_000);
    expect(kept).toHaveLength(1_000);
    expect(kept[0]?.detail).toBe('1499');
  });
});

it('writes all that waits when it is closed right after a failure', () => {
  const store = open();
  store.recordRound(roundRecord(START));
  const other = lockedBy(path);
  store.recordRound(roundRecord(START + SECOND));
  store.journal.record(openedEntry());
  store.recordChange(change(START, 'waits'));
  other.close();
  store.close();
  expect(storedRows(path, 'SELECT detail FROM audit')).toHaveLength(1);
  expect(storedRows(path, TLS_SAMPLES)).toHaveLength(2);
  expect(storedRows(path, 'SELECT id FROM incidents')).toHaveLength(1);
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
