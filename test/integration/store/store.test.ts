import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { IncidentState } from '../../../src/engine/incident/incident.ts';
import { type RoundRecord, type Store } from '../../../src/store/store.ts';
import { readStoredHistory, type StoredHistory } from '../../../src/store/stored-history.ts';
import { HOUR, MINUTE, START } from '../../support/store/incident-timeline.ts';
import { openedEntry, roundRecord, sentDelivery } from '../../support/store/store-records.ts';
import { storedRows, TLS_SAMPLES } from '../../support/store/stored-rows.ts';
import { storeBench } from '../../support/store/store-bench.ts';

type ReadableHistory = Extract<StoredHistory, { readonly kind: 'read' }>;

const DAY = 24 * HOUR;
const ALL = { since: 0, until: START + 365 * DAY };

const bench = storeBench();

/** Returns the store as another process sees it. */
function kept(): ReadableHistory {
  const past = readStoredHistory(bench.path, { incidents: 10, outboxEntries: 10, certificates: 200 });
  if (past.kind !== 'read') throw new Error(`Nothing was kept: ${past.kind}`);
  return past;
}

describe('createStore', () => {
  it('gives back after a restart what alerting must not forget', () => {
    const before = openedEntry();
    bench.open().journal.record(before);
    const after = bench.open();
    expect(after.journal.savedState()).toEqual(before.state);
    expect(after.journal.pending()).toEqual(before.outboxEntries);
    expect(kept().incidents).toEqual(before.incidents);
  });

  it('writes nothing at its end when nothing was recorded: the file may be of another one by now', () => {
    bench.open().close();
    expect(existsSync(bench.path)).toBe(false);
    const inForce = bench.open();
    const first = openedEntry();
    inForce.journal.record(first);
    const refused = bench.open();
    expect(refused.journal.savedState()).toEqual(first.state);
    const second = { ...first.state, maintenance: true };
    inForce.journal.record({ state: second, incidents: [], outboxEntries: [] });
    refused.close();
    expect(bench.open().journal.savedState()).toEqual(second);
  });

  it('never gives an acknowledged delivery again', () => {
    const first = bench.open();
    first.journal.record(openedEntry());
    first.journal.update([sentDelivery(first.journal.pending()[0]?.delivery)]);
    expect(first.journal.pending().map(({ delivery }) => delivery.recipient)).toEqual(['b@example.org']);
    const second = bench.open();
    expect(second.journal.pending().map(({ delivery }) => delivery.recipient)).toEqual(['b@example.org']);
    expect(second.deliveries(10).map(({ delivery }) => delivery.status)).toEqual(['pending', 'sent']);
    expect(second.deliveryStates(10)).toEqual(second.deliveries(10).map(({ delivery }) => delivery));
    expect(second.deliveryStates(1)).toMatchObject([{ status: 'pending' }]);
  });

  it('drops the oldest of more than 5,000 pending deliveries, in memory as after a restart', () => {
    const entry = openedEntry();
    const [first] = entry.outboxEntries;
    if (first === undefined) throw new Error('No delivery');
    const outboxEntries = Array.from({ length: 5_200 }, (_, index) => ({
      ...first,
      delivery: { ...first.delivery, recipient: `${String(index)}@example.org` },
    }));
    const store = bench.open();
    store.journal.record({ ...entry, outboxEntries });
    const recipients = (one: Store) => one.journal.pending().map(({ delivery }) => delivery.recipient);
    expect(recipients(store)).toEqual(outboxEntries.slice(200).map(({ delivery }) => delivery.recipient));
    expect(recipients(bench.open())).toEqual(recipients(store));
  });

  it('does not believe a state that does not fit', () => {
    const before = openedEntry();
    bench.open().journal.record({ ...before, state: { ...before.state, version: 2 } as unknown as IncidentState });
    const after = bench.open();
    expect(after.journal.savedState()).toBeNull();
    expect(after.journal.pending()).toHaveLength(2);
  });

  it('keeps samples, states and certificates', () => {
    const store = bench.open();
    const midnight = Date.parse('2026-11-25T00:00:00Z');
    for (let index = -10; index < 10; index += 1)
      store.recordRound(roundRecord(midnight + index * MINUTE, index < 5 ? 'ok' : 'broken'));
    expect(storedRows(bench.path, TLS_SAMPLES).slice(-3)).toEqual([
      { at: midnight + 7 * MINUTE, duration_ms: 12.5, failure: 'timeout' },
      { at: midnight + 8 * MINUTE, duration_ms: 12.5, failure: 'timeout' },
      { at: midnight + 9 * MINUTE, duration_ms: 12.5, failure: 'timeout' },
    ]);
    expect(store.stateSpans(ALL).filter(({ precondition }) => precondition === 'tls-genuine')).toEqual([
      { precondition: 'tls-genuine', state: 'ok', from: midnight - 10 * MINUTE, until: midnight + 5 * MINUTE },
      { precondition: 'tls-genuine', state: 'broken', from: midnight + 5 * MINUTE, until: midnight + 9 * MINUTE },
    ]);
    expect(kept().certificates).toMatchObject([{ firstSeen: midnight - 10 * MINUTE, lastSeen: midnight + 9 * MINUTE }]);
  });

  it('does not call the time in which nobody looked healthy', () => {
    const store = bench.open();
    store.recordRound(roundRecord(START));
    store.recordRound(roundRecord(START + MINUTE));
    store.recordRound(roundRecord(START + 5 * HOUR));
    store.recordRound(roundRecord(START + 5 * HOUR + MINUTE));
    expect(store.stateSpans(ALL).filter(({ precondition }) => precondition === 'mail')).toEqual([
      { precondition: 'mail', state: 'ok', from: START, until: START + MINUTE },
      { precondition: 'mail', state: 'ok', from: START + 5 * HOUR, until: START + 5 * HOUR + MINUTE },
    ]);
  });

  it.each([
    ['a year ahead', [365 * DAY]],
    ['a year ahead for several rounds', [365 * DAY, 365 * DAY + MINUTE, 365 * DAY + 2 * MINUTE]],
    ['eight thousand years ahead', [8_000 * 365 * DAY]],
    ['a year behind, and then right', [-365 * DAY, -365 * DAY + MINUTE]],
  ])('continues the states after rounds with a clock that was %s', (_, wrong) => {
    const store = bench.open();
    const minutes = [0, 1, 2, 3].map((minute) => START + minute * MINUTE);
    const now = START + 3 * MINUTE;
    for (const at of [minutes[0] ?? 0, ...wrong.map((skew) => START + skew), ...minutes.slice(1)])
      store.recordRound(roundRecord(at));
    expect(
      store.stateSpans({ since: START - DAY, until: now }).filter(({ precondition }) => precondition === 'mail'),
    ).toEqual([{ precondition: 'mail', state: 'ok', from: START, until: now }]);
    expect(store.lastRound(now)).toBe(now);
  });

  it('stores the states that follow when the clock was set back within a state', () => {
    const store = bench.open();
    for (let minute = 0; minute <= 9; minute += 1) store.recordRound(roundRecord(START + minute * MINUTE));
    store.recordRound(roundRecord(START + 5 * MINUTE));
    const tls = () =>
      store
        .stateSpans({ since: START, until: START + 9 * MINUTE })
        .filter(({ precondition }) => precondition === 'tls-genuine')
        .map(({ state, from, until }) => [state, (from - START) / MINUTE, (until - START) / MINUTE]);
    expect(tls()).toEqual([['ok', 0, 9]]);
    for (const minute of [6, 7, 8]) store.recordRound(roundRecord(START + minute * MINUTE, 'broken'));
    expect(tls()).toEqual([
      ['ok', 0, 6],
      ['broken', 6, 8],
    ]);
  });

  it('has the states of all preconditions from any time on, and tells unknown from what does not count', () => {
    const store = bench.open();
    const unknown = (leftOut: object): RoundRecord['preconditions'] => [
      { id: 'polling', state: 'unknown', summary: '', blockedBy: [], findings: [], ...leftOut },
    ];
    store.recordRound({ ...roundRecord(START), preconditions: unknown({ isLeftOut: true }) });
    store.recordRound({ ...roundRecord(START + MINUTE), preconditions: unknown({}) });
    store.recordRound({ ...roundRecord(START + 2 * MINUTE), preconditions: unknown({}) });
    const waiting = { precondition: 'polling', state: 'waiting', from: START, until: START + MINUTE };
    const later = { precondition: 'polling', state: 'unknown', from: START + MINUTE, until: START + 2 * MINUTE };
    expect(store.stateSpans(ALL)).toEqual([waiting, later]);
    expect(store.stateSpans({ ...ALL, since: START + MINUTE })).toEqual([later]);
  });

  it('drops what is older than the retention, and keeps what is open or undelivered', () => {
    const store = bench.open();
    store.journal.record(openedEntry());
    store.recordRound(roundRecord(START));
    bench.clock.advance(100 * DAY);
    store.recordRound(roundRecord(bench.clock.now()));
    expect(storedRows(bench.path, TLS_SAMPLES)).toHaveLength(1);
    expect(store.stateSpans(ALL)).toEqual([]);
    expect(kept().incidents).toHaveLength(1);
    expect(store.journal.pending()).toHaveLength(2);
  });

  it('drops nothing because of a clock that is ahead for some minutes', () => {
    const store = bench.open();
    store.recordRound(roundRecord(START));
    bench.clock.advance(HOUR);
    bench.clock.step(365 * DAY);
    for (let minute = 0; minute < 9; minute += 1) {
      store.recordRound(roundRecord(bench.clock.now()));
      bench.clock.advance(MINUTE);
    }
    bench.clock.step(-365 * DAY);
    store.recordRound(roundRecord(bench.clock.now()));
    expect(storedRows(bench.path, TLS_SAMPLES)[0]).toMatchObject({ at: START });
  });

  it('keeps the newest certificates of a target that shows a new one each time', () => {
    const store = bench.open();
    for (let index = 0; index < 150; index += 1) {
      store.recordRound({
        ...roundRecord(START + index),
        certificates: [{ target: 'host:443', fingerprint: String(index), pem: 'pem' }],
      });
    }
    expect(kept().certificates.map(({ fingerprint }) => fingerprint)).toEqual(
      Array.from({ length: 100 }, (_, index) => String(149 - index)),
    );
  });
});
