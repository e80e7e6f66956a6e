import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { backupStore } from '../../../src/store/backup-store.ts';
import type { Alerting } from '../../../src/notify/alerting.ts';
import { alertingBench, type AlertingBench } from '../../support/notify/alerting-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, START } from '../../support/store/incident-timeline.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const CAUSE = causeOf('tls-intercepted');
const RECIPIENTS = ['a@example.org', 'b@example.org'];
const OPTIONS = { now: START, keepsPending: false };

const folder = folderOfEachTest();
let copy: string;
/** A daemon whose messages are not delivered: one recipient is unreachable and the other refuses. */
let running: AlertingBench;

beforeEach(async () => {
  copy = folder.at('copy.sqlite');
  running = alertingBench();
  running.answer((_, recipient) => (recipient === RECIPIENTS[0] ? 'deferred' : 'rejected'));
  await running.rounds(running.start(RECIPIENTS), 2, [CAUSE]);
});

afterEach(() => {
  running[Symbol.dispose]();
});

/** Starts a daemon whose messages have all been delivered. */
async function heard(): Promise<{ readonly bench: AlertingBench; readonly alerting: Alerting }> {
  const bench = alertingBench();
  const alerting = bench.start(RECIPIENTS);
  await bench.rounds(alerting, 2, [CAUSE]);
  expect(bench.tries).toEqual(['firing tls-intercepted sent', 'firing tls-intercepted sent']);
  return { bench, alerting };
}

const DAYS_LATER = 9 * 24 * HOUR;

/** Returns what a daemon tries to send if it is started with this store while the fault lasts. */
async function triesOf(store: string): Promise<readonly string[]> {
  using bench = alertingBench(store);
  await bench.rounds(bench.start(RECIPIENTS), 3, [CAUSE]);
  expect(bench.store.journal.savedState()?.incidents).toMatchObject([{ status: 'open' }]);
  return bench.tries;
}

describe('a daemon that is started with a copy of the store', () => {
  test('tells nobody that it has crashed, and sends nothing again', async () => {
    using before = (await heard()).bench;
    expect(await backupStore(before.path, copy, OPTIONS)).toBe(0);
    expect(await triesOf(copy)).toEqual([]);
  });

  test('says nothing before it has looked, and then that the fault lasts', async () => {
    using before = (await heard()).bench;
    await backupStore(before.path, copy, OPTIONS);
    using restored = alertingBench(copy);
    restored.clock.advance(DAYS_LATER);
    const alerting = restored.start(RECIPIENTS);
    await restored.pass(alerting, HOUR, HOUR);
    expect(restored.tries).toEqual([]);
    await restored.rounds(alerting, 3, [CAUSE]);
    expect(restored.tries).toEqual(['reminder tls-intercepted sent', 'reminder tls-intercepted sent']);
  });

  test('gives the all-clear of a fault that is over by then, and nothing else', async () => {
    using before = (await heard()).bench;
    await backupStore(before.path, copy, OPTIONS);
    using restored = alertingBench(copy);
    restored.clock.advance(DAYS_LATER);
    await restored.rounds(restored.start(RECIPIENTS), 3, []);
    expect(restored.tries).toEqual(['resolved tls-intercepted sent', 'resolved tls-intercepted sent']);
  });

  test('tells of a fault again that lasts and of which not everybody had heard', async () => {
    expect(running.tries).toEqual(
      expect.arrayContaining(['firing tls-intercepted deferred', 'firing tls-intercepted rejected']),
    );
    expect(await backupStore(running.path, copy, OPTIONS)).toBe(2);
    using restored = alertingBench(copy);
    const alerting = restored.start(RECIPIENTS);
    await restored.pass(alerting, HOUR, HOUR);
    expect(restored.tries).toEqual([]);
    await restored.rounds(alerting, 3, [CAUSE]);
    expect(restored.tries).toEqual(['firing tls-intercepted sent', 'firing tls-intercepted sent']);
  });

  test('says at once that a fault was there and is over, of which not everybody had heard', async () => {
    await backupStore(running.path, copy, OPTIONS);
    using restored = alertingBench(copy);
    await restored.rounds(restored.start(RECIPIENTS), 3, []);
    expect(restored.tries).toEqual(['digest tls-intercepted sent', 'digest tls-intercepted sent']);
  });

  test('tells nothing under the name of what the daemon told that went on', async () => {
    const { bench: before, alerting } = await heard();
    await backupStore(before.path, copy, OPTIONS);
    await before.rounds(alerting, 3, []);
    using restored = alertingBench(copy);
    await restored.rounds(restored.start(RECIPIENTS), 3, []);
    const [theirs, ours] = [before, restored].map(({ store }) => store.deliveries(1)[0]?.notification);
    before[Symbol.dispose]();
    expect([theirs, ours]).toMatchObject([{ event: 'resolved' }, { event: 'resolved' }]);
    expect(theirs?.id).not.toBe(ours?.id);
  });

  test('begins its next summary anew: the one that is due may have been sent', async () => {
    const state = running.store.journal.savedState();
    if (state === null) throw new Error('Nothing was stored');
    running.store.journal.record({ state: { ...state, summarizedUntil: START }, incidents: [], outboxEntries: [] });
    for (const [keepsPending, summarizedUntil] of [
      [false, null],
      [true, START],
    ] as const) {
      await backupStore(running.path, copy, { ...OPTIONS, keepsPending });
      using restored = alertingBench(copy);
      expect(restored.store.journal.savedState()).toMatchObject({ summarizedUntil });
    }
  });

  test('sends what was on its way where that was asked for', async () => {
    expect(await backupStore(running.path, copy, { ...OPTIONS, keepsPending: true })).toBe(0);
    expect(await triesOf(copy)).toEqual(['firing tls-intercepted sent', 'firing tls-intercepted sent']);
  });

  test('tells of its own crash later', async () => {
    await backupStore(running.path, copy, OPTIONS);
    using restored = alertingBench(copy);
    await restored.rounds(restored.start(RECIPIENTS), 2, [CAUSE]);
    expect(await triesOf(restored.path)).toEqual(['restart  sent', 'restart  sent']);
  });
});

test('a store that is left as it was at a loss of power tells of it, and sends what was on its way', async () => {
  expect(await triesOf(running.path)).toEqual(
    expect.arrayContaining(['restart  sent', 'firing tls-intercepted sent', 'firing tls-intercepted sent']),
  );
});

test('a state that cannot be read does not keep the store from being copied', async () => {
  running.store.close();
  {
    using db = new DatabaseSync(running.path);
    db.exec("UPDATE incident_state SET json = 'damaged'");
  }
  expect(await backupStore(running.path, copy, OPTIONS)).toBe(1);
});
