import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry } from '../../../src/core/audit.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { findIncidents, incidentRecord } from '../../../src/runtime/incident-records.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import type { IncidentQuery } from '../../../src/web/incident-json.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../support/notify/outbox-entry-of.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

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

const folder = folderOfEachTest();
let store: Store;

beforeEach(() => {
  const deps = { clock: handClock(START + 30 * DAY), logger: logRecorder() };
  store = createStore({ path: folder.at('history.sqlite'), retention: 90 * DAY }, deps);
});

afterEach(() => {
  store.close();
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
