import { afterAll, beforeAll, expect, test } from 'vitest';
import { summaryFactsOf } from '../../../src/runtime/monitor.ts';
import { createStore, type Store } from '../../../src/store/store.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { roundRecord } from '../../support/store/store-records.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const DAY = 24 * HOUR;
/** Crosses midnight. The parts before and after it have different shares. */
const SPAN = { from: START, until: START + DAY };

const folder = folderOfAllTests();
let store: Store;

beforeAll(() => {
  const deps = { clock: handClock(SPAN.until), logger: logRecorder() };
  store = createStore({ path: folder.at('history.sqlite'), retention: 90 * DAY }, deps);
  for (let at = START; at <= SPAN.until; at += MINUTE)
    store.recordRound({
      ...roundRecord(at, at < START + 6 * HOUR ? 'broken' : 'ok'),
      hourlyValues: [
        { name: 'tokens-left', subject: 'fac-1', value: at < START + 20 * HOUR ? 12 : 11 },
        { name: 'tokens-left', subject: 'fac-2', value: 300 },
      ],
    });
  const { state } = timeline()
    .rounds(2, [causeOf('tls-intercepted')])
    .wait(6 * HOUR)
    .rounds(2, []);
  store.journal.record({ state, incidents: state.incidents, outboxEntries: [] });
});

afterAll(() => {
  store.close();
});

test('are those of the time between', () => {
  const facts = summaryFactsOf({ store, last: null }, null, SPAN);
  expect(facts.availability).toMatchObject({ ready: 18 * HOUR, notReady: 6 * HOUR, unknown: 0 });
  expect(facts.ended.map(({ cause }) => cause.id)).toEqual(['tls-intercepted']);
  expect(facts.tokensLeft).toEqual([
    { appliance: 'fac-1', count: 11 },
    { appliance: 'fac-2', count: 300 },
  ]);
  expect(facts.ends).toEqual([]);
});

test('are those of no other time', () => {
  const facts = summaryFactsOf({ store, last: null }, null, { ...SPAN, from: START + 7 * HOUR });
  expect(facts).toMatchObject({ availability: { ready: 17 * HOUR, notReady: 0, unknown: 0 }, ended: [] });
});

test('name the own certificate when it ends soon, or has ended', () => {
  const endsOf = (at: number): readonly unknown[] => summaryFactsOf({ store, last: null }, at, SPAN).ends;
  const what = "the status page's certificate";
  expect(endsOf(SPAN.until + 29 * DAY)).toEqual([{ what, at: SPAN.until + 29 * DAY }]);
  expect(endsOf(SPAN.until - DAY)).toEqual([{ what, at: SPAN.until - DAY }]);
  expect(endsOf(SPAN.until + 30 * DAY)).toEqual([]);
});
