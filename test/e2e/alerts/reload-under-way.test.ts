import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import type { Section } from '../../support/process/check-bench.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { freePort, takenPort } from '../../support/network/free-port.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { POSTING_CHANNELS, postingSections } from '../../support/notify/posting-channels.ts';
import { emailBy, createMailServer } from '../../support/mail/mail-server.ts';

const RELOADS = 6;

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

test('messages whose receivers answer only after six reloads, half of them refused, arrive once', async () => {
  await using taken = await takenPort();
  const answers = Promise.withResolvers<void>();
  const arrived = { mails: 0 };
  await using relay = await createMailServer({
    message: async () => {
      arrived.mails += 1;
      await answers.promise;
      return null;
    },
  });
  await using posts = await jsonReceiver(async ({ path }) => {
    await answers.promise;
    return path === '/pagerduty' ? 202 : 200;
  });
  const licenseServer = { host: 'license.example.test', port: await freePort(), expectedAddresses: ['127.0.0.0/8'] };
  const config = (at = ''): Section => ({
    licenseServer,
    notify: { email: emailBy(relay), ...postingSections((id) => `${posts.url}${at}/${id}`) },
  });
  // The ports are bound after the new monitor has started, and then the old configuration is started again.
  const refused = [{ logs: { syslog: { tcp: taken.listen } } }, { web: { listen: taken.listen } }];
  await site.configure(config());
  await using daemon = site.start({ env: { SET_SECRET: 'routing-key' } });
  await expect.poll(() => [arrived.mails, posts.posts.length]).toEqual([1, POSTING_CHANNELS.length]);
  for (let reload = 0; reload < RELOADS; reload += 1) {
    const more = refused[(reload / 2) % refused.length];
    // What is refused has other receivers, which must hear nothing.
    await site.configure(more === undefined ? config() : { ...config('/refused'), ...more });
    expect((await daemon.fetch('-/reload', { method: 'POST' })).ok).toBe(more === undefined);
    using db = new DatabaseSync(join(site.folder, 'data/ftm-watch.sqlite'), { readOnly: true });
    const statuses = db.prepare('SELECT DISTINCT status FROM deliveries').all();
    expect(statuses).toEqual([{ status: 'pending' }]);
  }
  answers.resolve();
  const sent = (channel: string) => daemon.value(`ftm_notifications_total{channel="${channel}",result="sent"}`);
  for (const channel of ['email', ...POSTING_CHANNELS]) await expect.poll(() => sent(channel)).toBe(1);
  await daemon.end('SIGTERM');
  expect(relay.mails).toHaveLength(1);
  // ntfy accepts JSON only at its root path.
  const paths = POSTING_CHANNELS.map((id) => (id === 'ntfy' ? '/' : `/${id}`));
  expect(posts.posts.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
});
