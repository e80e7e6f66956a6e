import { beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { createAlertHistory, findIncidents, incidentRecord } from '../../../src/runtime/incident-records.ts';
import type { Store } from '../../../src/store/store.ts';
import type { IncidentQuery } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START, timeline } from '../../support/store/incident-timeline.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../support/notify/outbox-entry-of.ts';
import { storeBench } from '../../support/store/store-bench.ts';
import { DatabaseSync } from 'node:sqlite';
import { msOf, msOfWait } from '../../support/store/lock-wait.ts';
import { openedEntry, roundRecord, sentDelivery } from '../../support/store/store-records.ts';

const DAY = 24 * HOUR;
const EVERY_INCIDENT: IncidentQuery = { cause: null, state: null, from: null, until: null };
const CHANGE: AuditEntry = {
  at: START,
  action: 'comment',
  account: 'ada',
  address: null,
  incident: null,
  cause: null,
  subject: null,
  detail: 'x',
};

const bench = storeBench();

let store: Store;
beforeEach(() => {
  store = bench.open();
});

/** This incident ended weeks ago, so it is no longer in memory. */
const OVER: Incident = {
  ...incidentOf(causeOf('tls-intercepted')),
  id: 'old',
  status: 'closed',
  closedAt: START + HOUR,
};
const OPEN: Incident = { ...incidentOf(causeOf('egress-blocked')), id: 'new' };

function record(...incidents: readonly Incident[]): void {
  const told = incidents.map((one) =>
    outboxEntryOf(incidentNotificationOf(one, { id: `${one.id}.1`, at: one.openedAt }), { status: 'sent' }),
  );
  store.journal.record({ state: { ...timeline().state, incidents: [OPEN] }, incidents, outboxEntries: told });
}

function source(): Parameters<typeof findIncidents>[0] {
  return { store, alerting: { incidents: () => [OPEN] } };
}

test('finds what is over in the file, and what is open in memory', () => {
  record(OVER, { ...OVER, id: 'older', closedAt: START + MINUTE }, OPEN);
  const ids = (query: Partial<IncidentQuery>, limit = 10): readonly string[] =>
    findIncidents(source(), { ...EVERY_INCIDENT, ...query }, limit).incidents.map(({ id }) => id);
  expect(ids({})).toEqual(['new', 'old', 'older']);
  expect(ids({ state: 'open' })).toEqual(['new']);
  expect(ids({ state: 'closed' })).toEqual(['old', 'older']);
  expect(ids({ cause: 'tls-intercepted' })).toEqual(['old', 'older']);
  expect(ids({ from: START + 2 * MINUTE })).toEqual(['new', 'old']);
  expect(ids({ until: START })).toEqual([]);
  expect(findIncidents(source(), EVERY_INCIDENT, 2)).toMatchObject({ more: true, complete: true });
  expect(findIncidents(source(), EVERY_INCIDENT, 3).more).toBe(false);
});

test('lets an incident begin with the first round that showed it, open or over', () => {
  const late = { ...OVER, since: START, openedAt: START + 10 * MINUTE };
  const open = { ...OPEN, since: START, openedAt: START + 10 * MINUTE };
  record(late, open);
  const found = findIncidents(
    { store, alerting: { incidents: () => [open] } },
    { ...EVERY_INCIDENT, until: START + MINUTE },
    10,
  );
  expect(found.incidents.map(({ id }) => id)).toEqual(['new', 'old']);
});

test('tells all of one incident, and nothing of another', () => {
  record(OVER, { ...OVER, id: 'old.r' }, OPEN);
  for (const change of [
    { ...CHANGE, incident: 'old', at: START + 20 * DAY, detail: 'afterwards' },
    { ...CHANGE, incident: 'new', detail: 'of another' },
    { ...CHANGE, action: 'add-silence' as const, detail: 'while it lasted', at: START + MINUTE },
    { ...CHANGE, action: 'add-silence' as const, detail: 'later', at: START + DAY },
  ])
    store.recordChange(change);

  const found = incidentRecord(source(), 'old');
  expect(found?.incident).toEqual(OVER);
  expect(found?.outboxEntries.map(({ notification }) => notification.id)).toEqual(['old.1']);
  expect(found?.changes.map(({ detail }) => detail)).toEqual(['while it lasted', 'afterwards']);
  expect(incidentRecord(source(), 'new')?.incident).toBe(OPEN);
  expect(incidentRecord(source(), 'nothing')).toBeNull();
});

test('finds the digest that told of it', () => {
  const digest = {
    kind: 'digest',
    id: 'digest-1',
    at: OVER.openedAt,
    items: [{ event: 'firing', incident: OVER }],
    omitted: 0,
    omittedOpen: 0,
    stillOpen: [],
  } as const;
  record(OVER);
  store.journal.record({
    state: { ...timeline().state, incidents: [OPEN] },
    incidents: [],
    outboxEntries: [outboxEntryOf(digest, { status: 'sent' }), outboxEntryOf({ ...digest, id: 'digest-2', items: [] })],
  });
  expect(incidentRecord(source(), 'old')?.outboxEntries.map(({ notification }) => notification.id)).toEqual([
    'digest-1',
    'old.1',
  ]);
});

type AlertHistorySource = Parameters<typeof createAlertHistory>[0];

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
    keep(bench.open(), [...many, ended('old', START - 8 * DAY)]);
    const fresh = bench.open();
    const read = createAlertHistory(remembering(fresh), bench.clock)();
    expect(read.incidents.map(({ id }) => id)).toEqual(many.slice(0, 50).map(({ id }) => id));
    expect(read).toMatchObject({ omitted: 10, complete: true });
    const inMind = createAlertHistory(remembering(fresh, many.slice(0, 55)), bench.clock)();
    expect([inMind.incidents.length, inMind.omitted]).toEqual([55, 5]);
  });

  test('knows better what the daemon has in mind', () => {
    const store = bench.open();
    keep(store, [ended('same', START - HOUR), ended('other', START - HOUR)]);
    const inMind = { ...ended('same', START - HOUR), streak: 1 };
    expect(createAlertHistory(remembering(store, [inMind]), bench.clock)().incidents).toEqual([
      inMind,
      expect.objectContaining({ id: 'other' }),
    ]);
  });

  test('shows a notification at each moment of its way, once', () => {
    const store = bench.open();
    const alertHistory = createAlertHistory(remembering(store), bench.clock);
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

  test('shows a notification that was stored and sent between two requests', () => {
    const store = bench.open();
    const alertHistory = createAlertHistory(remembering(store), bench.clock);
    expect(alertHistory().outboxEntries).toEqual([]);
    store.journal.record(openedEntry());
    store.journal.update(store.journal.pending().map(({ delivery }) => sentDelivery(delivery)));
    expect(alertHistory().outboxEntries.map(({ delivery }) => delivery.status)).toEqual(['sent', 'sent']);
  });

  test('says so while the file cannot be used, tells what it knew, and is whole again afterwards', () => {
    const store = bench.open();
    keep(store, [ended('known', START - HOUR)]);
    const alertHistory = createAlertHistory(remembering(store), bench.clock);
    expect(alertHistory()).toMatchObject({ complete: true, incidents: [{ id: 'known' }] });

    const other = new DatabaseSync(bench.path);
    other.exec('BEGIN EXCLUSIVE');
    store.recordRound(roundRecord(START));
    bench.clock.advance(3 * SECOND);
    const ask = (): void => expect(alertHistory()).toMatchObject({ complete: false, incidents: [{ id: 'known' }] });
    const wait = msOfWait(bench.path);
    expect(msOf(() => Array.from({ length: 50 }, ask))).toBeLessThan(10 * wait);
    // Events since then are available without the file.
    store.journal.record(openedEntry());
    expect(alertHistory().outboxEntries).toHaveLength(2);

    other.exec('COMMIT');
    other.close();
    bench.clock.advance(10 * SECOND);
    store.recordRound(roundRecord(START + 13 * SECOND));
    expect(alertHistory().complete).toBe(true);
  });
});
