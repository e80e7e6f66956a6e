import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noSummaryFacts } from '../../support/notify/plain-alerting.ts';
import { createAlerting } from '../../../src/notify/alerting.ts';
import { createStore } from '../../../src/store/store.ts';
import { liveRounds } from '../../support/notify/alerting-bench.ts';
import { configOf } from '../../support/config/config-of.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, POLICY, START } from '../../support/store/incident-timeline.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { smtpSink } from '../../support/mail/smtp-sink.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-sites-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Counts how often each ID arrived, in order of first arrival. */
function counted(ids: readonly unknown[]): ReadonlyMap<unknown, number> {
  return new Map([...Map.groupBy(ids, (id) => id)].map(([id, all]) => [id, all.length]));
}

it('tells two sites with one sender and one clock under different ids, and a repeat under the same', async () => {
  const mails: string[] = [];
  // Both accept the whole message and then defer it the first time.
  await using relay = await smtpSink({
    message: ({ headers }) => {
      const id = headers.get('message-id') ?? '';
      mails.push(id);
      return mails.indexOf(id) === mails.length - 1 ? { code: 451, text: 'Greylisted' } : null;
    },
  });
  const posts: unknown[] = [];
  await using receiver = await jsonReceiver(({ body }) => {
    const id: unknown = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
    posts.push(id);
    return posts.indexOf(id) === posts.length - 1 ? 503 : 200;
  });
  const server = { host: '127.0.0.1', port: relay.port, user: null, password: null, caFile: null };

  const config = await configOf('site: hq');

  async function site(name: string): Promise<void> {
    const [clock, logger] = [handClock(START), logRecorder()];
    const store = createStore({ path: join(folder, `${name}.sqlite`), retention: 90 * 24 * HOUR }, { clock, logger });
    const alerting = createAlerting(
      {
        ...config,
        site: name,
        notify: {
          ...config.notify,
          email: {
            from: 'ftm-watch@example.org',
            to: ['admins@example.org'],
            minSeverity: 'warning',
            servers: [{ ...server, security: 'none' }],
          },
          webhooks: [hookAt(receiver.url)],
          policy: POLICY,
        },
      },
      {
        clock,
        logger,
        journal: store.journal,
        intervals: {},
        summaryFacts: noSummaryFacts,
        env: {},
        readSecret: () => Promise.reject(new Error('no secrets here')),
        onDelivery: () => undefined,
      },
    );
    alerting.start();
    await liveRounds(alerting, clock, 4, [causeOf('tls-intercepted')]);
    await liveRounds(alerting, clock, 4, []);
    await alerting.stop(new AbortController().signal);
    store.close();
  }

  await site('hq');
  await site('branch');

  // A start and an end for each site, each deferred once.
  expect([...counted(mails).values()]).toEqual([2, 2, 2, 2]);
  expect([...counted(posts).values()]).toEqual([2, 2, 2, 2]);
  expect(relay.mails.map(({ headers }) => headers.get('x-ftm-watch-event'))).toEqual([
    'firing',
    'resolved',
    'firing',
    'resolved',
  ]);
});
