import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createMaintenance } from '../../../src/notify/maintenance.ts';
import type { MessageChannel } from '../../../src/notify/channels/channel.ts';
import { createStore } from '../../../src/store/store.ts';
import { readCrontab } from '../../../src/text/crontab.ts';
import { type HandClock, handClock } from '../../support/time/hand-clock.ts';
import { HOUR, POLICY, SECOND } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';

/** A Tuesday. Monday 07:00 in Berlin is six days later, at 06:00 UTC. */
const TUESDAY = Date.parse('2026-11-24T13:00:00Z');
const MONDAY = Date.parse('2026-11-30T06:00:00Z');
const WEEK = 7 * 24 * HOUR;
/** How late a summary can be. */
const BEAT = 15 * SECOND;
const MONDAYS = readCrontab('0 7 * * 1', 'Europe/Berlin');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-summary-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A daemon that runs on this clock until it is stopped. */
function daemon(clock: HandClock, more: Partial<ConstructorParameters<typeof Alerting>[0]> = {}) {
  const logger = logRecorder();
  const told: Notification[] = [];
  const spans: (readonly [number, number])[] = [];
  const store = createStore({ path: join(folder, 'history.sqlite'), retention: 90 * 24 * HOUR }, { clock, logger });
  const channel: MessageChannel = {
    kind: 'messages',
    id: 'email',
    recipients: ['alice@example.org'],
    minSeverity: 'warning',
    deliver: ({ notification, recipients }) => {
      told.push(notification);
      return Promise.resolve(recipients.map((recipient) => ({ recipient, kind: 'sent', detail: '' })));
    },
  };
  const alerting = new Alerting(
    {
      channels: [channel],
      maintenance: createMaintenance([]),
      policy: POLICY,
      timezone: 'Europe/Berlin',
      summary: MONDAYS,
      ...more,
    },
    {
      clock,
      logger,
      journal: store.journal,
      summaryFacts: (from, until) => {
        spans.push([from, until]);
        return noSummaryFacts();
      },
      env: {},
      readSecret: () => Promise.reject(new Error('no secrets here')),
      onDelivery: () => undefined,
    },
  );
  alerting.start();
  return {
    told,
    spans,
    async until(at: number): Promise<void> {
      clock.step(at - clock.now());
      clock.advance(BEAT);
      await alerting.idle();
    },
    async stop(): Promise<void> {
      await alerting.stop(new AbortController().signal);
      store.close();
    },
  };
}

const eventsOf = ({ told }: { readonly told: readonly Notification[] }): readonly string[] =>
  told.map((notification) => (notification.kind === 'note' ? notification.event : notification.kind));

test('a summary is told when it is due, once, and tells of the time since the last', async () => {
  const site = daemon(handClock(TUESDAY));
  await site.until(MONDAY - 20 * SECOND);
  expect(eventsOf(site)).toEqual([]);
  await site.until(MONDAY);
  await site.until(MONDAY + HOUR);
  expect(eventsOf(site)).toEqual(['summary']);
  await site.until(MONDAY + WEEK);
  expect(site.spans).toEqual([
    [TUESDAY, MONDAY + BEAT],
    [MONDAY + BEAT, MONDAY + WEEK + BEAT],
  ]);
  await site.stop();
});

test('one that was due while nothing ran is told at the start, and never twice', async () => {
  const clock = handClock(TUESDAY);
  const first = daemon(clock);
  await first.until(TUESDAY + HOUR);
  await first.stop();
  clock.step(MONDAY + HOUR - clock.now());
  const second = daemon(clock);
  await second.stop();
  const third = daemon(clock);
  await third.stop();
  expect([first, second, third].map(eventsOf)).toEqual([[], ['summary'], []]);
});

test('it waits for the end of maintenance', async () => {
  let active = true;
  const site = daemon(handClock(TUESDAY), { maintenance: { isActive: () => active } });
  await site.until(TUESDAY + HOUR);
  active = false;
  await site.until(TUESDAY + 2 * HOUR);
  active = true;
  await site.until(MONDAY + HOUR);
  expect(eventsOf(site)).toEqual([]);
  active = false;
  await site.until(MONDAY + 2 * HOUR);
  expect(eventsOf(site)).toEqual(['summary']);
  await site.stop();
});

test('a clock that was set back by years brings the next one when it is due', async () => {
  const site = daemon(handClock(MONDAY + 100 * WEEK + HOUR));
  await site.until(TUESDAY);
  await site.until(MONDAY);
  expect(eventsOf(site)).toEqual(['summary']);
  expect(site.spans).toEqual([[TUESDAY + BEAT, MONDAY + BEAT]]);
  await site.stop();
});

test('nobody is told who asks for none', async () => {
  const site = daemon(handClock(TUESDAY), { summary: null });
  await site.until(MONDAY + HOUR);
  expect(site.told).toEqual([]);
  await site.stop();
});
