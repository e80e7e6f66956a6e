/**
 * A process of its own with the real store and the real engine, that kills itself at one boundary between two steps of
 * the outbox. Arguments: the folder of the store, the ports of the mail servers, the rounds (`b` intercepted, `m` the
 * mail server away, `g` good), and the number of the boundary, 0 for none. Prints each boundary that it passes, and
 * before a delivery what is delivered.
 */
import { writeSync } from 'node:fs';
import { noSummaryFacts } from './plain-alerting.ts';
import { join } from 'node:path';
import { argv, kill, pid } from 'node:process';
import { systemClock } from '../../src/system/clock.ts';
import type { AlertJournal } from '../../src/engine/incident/journal.ts';
import type { MessageChannel } from '../../src/notify/channels/channel.ts';
import { createEmailChannel } from '../../src/notify/channels/email/email-channel.ts';
import { Alerting } from '../../src/notify/alerting.ts';
import { createStore } from '../../src/store/store.ts';
import { causeOf, diagnosisOf } from './diagnosis-of.ts';
import { POLICY } from './incident-timeline.ts';
import { logRecorder } from './log-recorder.ts';
import { AT_HQ } from './message-context.ts';

const [, , folder = '', ports = '', rounds = '', killAt = '0'] = argv;
let passed = 0;

function boundary(name: string): void {
  passed += 1;
  writeSync(1, `${name}\n`);
  if (passed === Number(killAt)) kill(pid, 'SIGKILL');
}

function watchedJournal(journal: AlertJournal): AlertJournal {
  return {
    savedState: () => journal.savedState(),
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
      boundary('after update');
    },
  };
}

function watchedChannel(channel: MessageChannel): MessageChannel {
  return {
    ...channel,
    async deliver(request, signal) {
      boundary('before delivery');
      writeSync(1, `delivers ${request.notification.id}\n`);
      const outcomes = await channel.deliver(request, signal);
      boundary('after delivery');
      return outcomes;
    },
  };
}

const clock = systemClock;
const logger = logRecorder();
const readSecret = (): Promise<string> => Promise.reject(new Error('no secrets here'));
const store = createStore({ path: join(folder, 'history.sqlite'), retention: 86_400_000 }, { clock, logger });
const servers = ports
  .split(',')
  .map(
    (port) =>
      ({ host: '127.0.0.1', port: Number(port), security: 'none', user: null, password: null, caFile: null }) as const,
  );
const causes = { b: [causeOf('tls-intercepted')], m: [causeOf('mail-unreachable')], g: [] } as const;
const email = createEmailChannel(
  { from: 'ftm-watch@example.test', to: ['ops@example.test'], minSeverity: 'warning', servers },
  { ...AT_HQ, clock, readSecret },
);
const alerting = new Alerting(
  {
    channels: [watchedChannel(email)],
    maintenance: { isActive: () => false },
    // A fault that comes back is a new incident, and nothing waits for an hour to pass.
    policy: { ...POLICY, reopenWindow: 0, flapping: { outages: 5, within: 0, quiet: 0 }, maxPerHour: 10_000 },
    timezone: 'UTC',
    summary: null,
  },
  {
    clock,
    logger,
    journal: watchedJournal(store.journal),
    summaryFacts: noSummaryFacts,
    readSecret,
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
