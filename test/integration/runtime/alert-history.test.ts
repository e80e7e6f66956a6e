import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { createAlertHistory } from '../../../src/runtime/incident-records.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { HOUR, SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { msOf, msOfWait } from '../../support/store/lock-wait.ts';
import { openedEntry, roundRecord, sentDelivery } from '../../support/store/store-records.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

type AlertHistorySource = ReturnType<Parameters<typeof createAlertHistory>[0]>;

const DAY = 24 * HOUR;

const folder = folderOfEachTest();
let path: string;
let clock: HandClock;
const opened: Store[] = [];

beforeEach(() => {
  path = folder.at('history.sqlite');
  clock = handClock(START);
});

afterEach(() => {
  for (const store of opened.splice(0)) store.close();
});

function open(): Store {
  const store = createStore({ path, retention: 90 * DAY }, { clock, logger: logRecorder() });
  opened.push(store);
  return store;
}

function remembering(store: Store, inMind: readonly Incident[] = []): AlertHistorySource {
  return { store, alerting: { incidents: () => inMind } };
}

function ended(id: string, closedAt: number): Incident {
  return { ...incidentOf(), id, status: 'closed', openedAt: closedAt - HOUR, closedAt };
}

function keep(store: Store, incidents: readonly Incident[]): void {
  store.journal.record({ ...openedEntry(), incidents, outboxEntries: [] });
}

describe('the history of alerts', () => {
  test('has incidents that the daemon has forgotten, after a restart too: of a week, the latest 50', () => {
    const many = Array.from({ length: 60 }, (_, index) => ended(`i${String(index)}`, START - index * HOUR));
    keep(open(), [...many, ended('old', START - 8 * DAY)]);
    const fresh = open();
    const read = createAlertHistory(() => remembering(fresh), clock)();

    expect(read.incidents.map(({ id }) => id)).toEqual(many.slice(0, 50).map(({ id }) => id));
    expect(read).toMatchObject({ omitted: 10, complete: true });
    const inMind = createAlertHistory(() => remembering(fresh, many.slice(0, 55)), clock)();
    expect([inMind.incidents.length, inMind.omitted]).toEqual([55, 5]);
  });

  test('knows better what the daemon has in mind', () => {
    const store = open();
    keep(store, [ended('same', START - HOUR), ended('other', START - HOUR)]);
    const inMind = { ...ended('same', START - HOUR), streak: 1 };

    expect(createAlertHistory(() => remembering(store, [inMind]), clock)().incidents).toEqual([
      inMind,
      expect.objectContaining({ id: 'other' }),
    ]);
  });

  test('shows a notification at each moment of its way, once', () => {
    const store = open();
    const alertHistory = createAlertHistory(() => remembering(store), clock);
    const statuses = () =>
      alertHistory()
        .outboxEntries.map(({ delivery }) => `${delivery.recipient} ${delivery.status}`)
        .toSorted();
    expect(statuses()).toEqual([]);

    store.journal.record(openedEntry());
    expect(statuses()).toEqual(['a@example.org pending', 'b@example.org pending']);
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(statuses()).toEqual(['a@example.org sent', 'b@example.org pending']);
    store.journal.update([sentDelivery(store.journal.pending()[0]?.delivery)]);
    expect(statuses()).toEqual(['a@example.org sent', 'b@example.org sent']);
  });

  test('says so while the file cannot be used, tells what it knew, and is whole again afterwards', () => {
    const store = open();
    keep(store, [ended('known', START - HOUR)]);
    const alertHistory = createAlertHistory(() => remembering(store), clock);
    expect(alertHistory()).toMatchObject({ complete: true, incidents: [{ id: 'known' }] });

    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    store.recordRound(roundRecord(START));
    clock.advance(3 * SECOND);
    const ask = (): void => expect(alertHistory()).toMatchObject({ complete: false, incidents: [{ id: 'known' }] });
    const wait = msOfWait(path);
    expect(msOf(() => Array.from({ length: 50 }, ask))).toBeLessThan(10 * wait);
    // Events since then are available without the file.
    store.journal.record(openedEntry());
    expect(alertHistory().outboxEntries).toHaveLength(2);

    other.exec('COMMIT');
    other.close();
    clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 13 * SECOND));
    expect(alertHistory().complete).toBe(true);
  });

  test('forgets what it knew of another file', () => {
    const store = open();
    keep(store, [ended('known', START - HOUR)]);
    let current = remembering(store);
    const alertHistory = createAlertHistory(() => current, clock);
    expect(alertHistory().incidents).toHaveLength(1);

    path = folder.at('other.sqlite');
    current = remembering(open());
    expect(alertHistory()).toEqual({ incidents: [], omitted: 0, outboxEntries: [], complete: true });
  });
});
