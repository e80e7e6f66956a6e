import { expect, test } from 'vitest';
import { notificationText } from '../../../src/document/notification.ts';
import { type AlertJournal, eventOf, type OutboxEntry } from '../../../src/engine/incident/incident.ts';
import type { Cause } from '../../../src/engine/model.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { Outbox } from '../../../src/notify/outbox.ts';
import type { MessageChannel, RecipientOutcome, StateChannel } from '../../../src/notify/channels/channel.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { SECOND, START } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';
import { PLAIN_DEPS, PLAIN_PARTS } from '../../support/notify/plain-alerting.ts';

const URL = 'http://127.0.0.1:9093';

/** A store that is empty and remembers nothing. */
const JOURNAL: AlertJournal = {
  savedState: () => null,
  record: () => undefined,
  update: () => undefined,
  deliveryChanges: () => 0,
  pending: () => [],
  givenUp: () => [],
};

interface Bench {
  readonly alerting: Alerting;
  readonly clock: HandClock;
  /** Waits for the next regular message. */
  readonly nextTick: () => Promise<void>;
  readonly logged: () => readonly string[];
  readonly results: readonly string[];
}

/** Starts alerting with a state channel, which sends its first message immediately. */
function started(publish: StateChannel['publish']): Bench {
  const logger = logRecorder();
  const clock = handClock(START);
  const results: string[] = [];
  const channel: StateChannel = {
    kind: 'state',
    id: 'alertmanager',
    publish,
    test: () => Promise.resolve([]),
    waiting: () => 0,
    takenAt: () => null,
  };
  const alerting = new Alerting(
    { channels: [channel], maintenance: { isActive: () => false }, ...PLAIN_PARTS },
    {
      clock,
      logger,
      journal: JOURNAL,
      ...PLAIN_DEPS,
      onDelivery: (id, result) => results.push(`${id} ${result}`),
    },
  );
  alerting.start();
  return {
    alerting,
    clock,
    nextTick: async () => {
      await alerting.idle();
      clock.advance(15 * SECOND);
      await alerting.idle();
    },
    logged: () => logger.lines.map(({ event }) => event),
    results,
  };
}

test('reports once that a recipient fails, and once that it accepts alerts again', async () => {
  let kind: RecipientOutcome['kind'] = 'deferred';
  const { nextTick, logged, results } = started(() => Promise.resolve([{ recipient: URL, kind, detail: '' }]));
  await nextTick();
  kind = 'sent';
  await nextTick();
  await nextTick();
  expect(logged()).toEqual(['alerts-refused', 'alerts-accepted']);
  expect(results).toEqual(['alertmanager failed', 'alertmanager failed', 'alertmanager sent', 'alertmanager sent']);
});

test('sends one message at a time, each with the state as it is then', async () => {
  const seen: number[] = [];
  let release = (): void => undefined;
  const { alerting, clock } = started(async ({ incidents }) => {
    seen.push(incidents.length);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return [];
  });
  await expect.poll(() => seen).toEqual([0]);
  for (const at of [START, START + 30 * SECOND]) alerting.accept(diagnosisOf(at, [causeOf('tls-intercepted')]), null);
  expect(clock.now()).toBe(START);
  expect(alerting.incidents()).toHaveLength(1);
  await Promise.resolve();
  expect(seen).toEqual([0]);
  release();
  await expect.poll(() => seen).toEqual([0, 1]);
});

test('goes on after a channel that throws', async () => {
  let isBroken = true;
  const { nextTick, results } = started(() => {
    if (isBroken) return Promise.reject(new Error('a bug'));
    return Promise.resolve([{ recipient: URL, kind: 'sent', detail: '' }]);
  });
  await nextTick();
  isBroken = false;
  await nextTick();
  expect(results).toEqual(['alertmanager failed', 'alertmanager failed', 'alertmanager sent']);
});

/** Keeps the deliveries in memory. */
function keptJournal(): AlertJournal {
  let entries: readonly OutboxEntry[] = [];
  return {
    ...JOURNAL,
    record: ({ outboxEntries }) => (entries = [...entries, ...outboxEntries]),
    update: (deliveries) =>
      (entries = entries.map((entry) => ({
        ...entry,
        delivery:
          deliveries.find(({ notificationId }) => notificationId === entry.delivery.notificationId) ?? entry.delivery,
      }))),
    pending: () => entries.filter(({ delivery }) => delivery.status === 'pending'),
  };
}

test('an all-clear that is delivered late is none for a fault that was reported in the meantime', async () => {
  const clock = handClock(START);
  const arrived: string[] = [];
  let isDown = false;
  const channel: MessageChannel = {
    kind: 'messages',
    id: 'webhook',
    recipients: ['zabbix'],
    minSeverity: 'warning',
    deliver: ({ notification }) => {
      const { tone } = notificationText(notification, {
        site: 'hq',
        timezone: 'UTC',
        publicUrl: null,
        runbookUrl: null,
      });
      if (!isDown) arrived.push(`${eventOf(notification)} ${tone}`);
      return Promise.resolve([{ recipient: 'zabbix', kind: isDown ? 'deferred' : 'sent', detail: '' }]);
    },
  };
  const alerting = new Alerting(
    { channels: [channel], maintenance: { isActive: () => false }, ...PLAIN_PARTS },
    { clock, logger: logRecorder(), journal: keptJournal(), ...PLAIN_DEPS, onDelivery: () => undefined },
  );
  const round = async (causes: readonly Cause[]): Promise<void> => {
    clock.advance(30 * SECOND);
    alerting.accept(diagnosisOf(clock.now(), causes), null);
    await alerting.idle();
  };
  alerting.start();
  const [first, second] = [causeOf('tls-intercepted'), causeOf('polling-failing', { severity: 'critical' })];
  for (const causes of [[first], [first]]) await round(causes);
  isDown = true;
  for (const causes of [[], [], [], [second]]) await round(causes);
  isDown = false;
  await round([second]);
  for (let minute = 0; minute < 10; minute += 1) await round([second]);
  expect(arrived).toEqual(['firing critical', 'firing critical', 'resolved critical']);
});

test('what the hourly limit holds back waits for each recipient that wants it, and for no other', () => {
  const channel = (id: string, minSeverity: MessageChannel['minSeverity'], recipients: readonly string[]) =>
    ({ kind: 'messages', id, minSeverity, recipients, deliver: () => Promise.resolve([]) }) as const;
  const held = [
    incidentOf(causeOf('tls-intercepted')),
    incidentOf(causeOf('mail-unreachable', { severity: 'warning' })),
  ];
  const messages = [
    channel('email', 'warning', ['a@example.org', 'b@example.org']),
    channel('slack', 'critical', ['https://hooks.example.org']),
  ];
  const deps = { clock: handClock(START), logger: logRecorder(), journal: JOURNAL, onDelivery: () => undefined };
  const outbox = new Outbox(messages, deps, new AbortController().signal);
  expect(['email', 'slack', 'webhook'].map((id) => outbox.pending(id, held))).toEqual([4, 1, 0]);
});
