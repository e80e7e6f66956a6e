/**
 * Runs the real store, engine and channels in a separate process that kills itself at one boundary between two steps
 * of the outbox. Arguments: the folder of the store; the section `notify` as JSON; the rounds (`b` intercepted, `m`
 * mail server unreachable, `g` good); and the boundary at which it dies: a number, 0 for none, or `accepted` for the
 * moment at which the peers of all channels have accepted a notification and nothing was recorded yet. Prints each
 * boundary that it passes, and for each delivery when it begins and when its outcome was recorded.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { argv, kill, pid } from 'node:process';
import { channelsOf } from '../../support/notify/channel-bench.ts';
import { PLAIN_DEPS } from '../../support/notify/plain-alerting.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { AlertJournal } from '../../../src/engine/incident/incident.ts';
import type { MessageChannel, RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { Alerting } from '../../../src/notify/alerting.ts';
import { createStore } from '../../../src/store/store.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { POLICY } from '../../support/store/incident-timeline.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';

const [, , folder = '', sections = '{}', rounds = '', killAt = '0'] = argv;
let passed = 0;

function boundary(name: string): void {
  passed += 1;
  writeSync(1, `${name}\n`);
  if (passed === Number(killAt)) kill(pid, 'SIGKILL');
}

/** `begins email ID`, `wrote email ID`. */
function tell(what: 'begins' | 'wrote', channel: string, notification: string): void {
  writeSync(1, `${what} ${channel} ${notification}\n`);
}

function watchedJournal(journal: AlertJournal): AlertJournal {
  return {
    savedState: () => journal.savedState(),
    deliveryChanges: () => journal.deliveryChanges(),
    pending: () => journal.pending(),
    givenUp: () => journal.givenUp(),
    record(entry) {
      boundary('before record');
      journal.record(entry);
      boundary('after record');
    },
    update(deliveries) {
      boundary('before update');
      journal.update(deliveries);
      for (const { channel, notificationId } of deliveries) tell('wrote', channel, notificationId);
      boundary('after update');
    },
  };
}

let accepted = 0;

function watchedChannel(channel: MessageChannel, _index: number, all: readonly MessageChannel[]): MessageChannel {
  return {
    ...channel,
    async deliver(request, signal) {
      boundary('before delivery');
      tell('begins', channel.id, request.notification.id);
      const outcomes = await channel.deliver(request, signal);
      boundary('after delivery');
      if (killAt !== 'accepted') return outcomes;
      accepted += 1;
      if (accepted === all.length) kill(pid, 'SIGKILL');
      return Promise.withResolvers<readonly RecipientOutcome[]>().promise;
    },
  };
}

const clock = systemClock;
const logger = logRecorder();
const store = createStore({ path: join(folder, 'history.sqlite'), retention: 86_400_000 }, { clock, logger });
const channels = await channelsOf(JSON.parse(sections) as object, {
  env: { SET_SECRET: 'a1b2c3d4e5f60718293a4b5c6d7e8f90' },
});
const causes = { b: [causeOf('tls-intercepted')], m: [causeOf('mail-unreachable')], g: [] } as const;
const alerting = new Alerting(
  {
    channels: channels.map(watchedChannel),
    maintenance: { isActive: () => false },
    // A fault that recurs is a new incident, and no notification is delayed by the hourly limit.
    policy: { ...POLICY, reopenWindow: 0, flapping: { outages: 5, within: 0, quiet: 0 }, maxPerHour: 10_000 },
    timezone: 'UTC',
    summary: null,
  },
  {
    clock,
    logger,
    journal: watchedJournal(store.journal),
    ...PLAIN_DEPS,
    onDelivery: () => undefined,
  },
);
alerting.start();
for (const round of rounds) {
  alerting.accept(diagnosisOf(clock.now(), round === 'b' || round === 'm' ? causes[round] : causes.g), null);
  await alerting.idle();
}
await alerting.stop(new AbortController().signal);
store.close();
