import { afterAll, expect, test } from 'vitest';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { freePort } from '../../support/network/free-port.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { POSTING_CHANNELS, postingSections } from '../../support/notify/posting-channels.ts';
import { emailBy, createMailServer } from '../../support/mail/mail-server.ts';

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

test('a message under way at a reload arrives once if it is answered in time, otherwise again with its id', async () => {
  const [inTime, late] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const arrived = { mails: 0 };
  await using relay = await createMailServer({
    message: async () => {
      arrived.mails += 1;
      await late.promise;
      return null;
    },
  });
  await using posts = await jsonReceiver(async ({ path }) => {
    await inTime.promise;
    return path === '/pagerduty' ? 202 : 200;
  });
  await site.configure({
    licenseServer: { host: 'license.example.test', port: await freePort(), expectedAddresses: ['127.0.0.0/8'] },
    notify: { email: emailBy(relay), ...postingSections((id) => `${posts.url}/${id}`) },
  });
  await using daemon = site.start({ env: { SET_SECRET: 'routing-key' } });
  await expect.poll(() => [arrived.mails, posts.posts.length]).toEqual([1, POSTING_CHANNELS.length]);
  const sent = (channel: string) => daemon.value(`ftm_notifications_total{channel="${channel}",result="sent"}`);

  const reloaded = daemon.fetch('-/reload', { method: 'POST' });
  // The page is served while messages under way are finished.
  await expect.poll(() => daemon.fetch('-/healthy').then(({ status }) => status)).toBe(200);
  inTime.resolve();
  for (const channel of POSTING_CHANNELS) await expect.poll(() => sent(channel)).toBe(1);
  expect((await reloaded).status).toBe(200);
  await expect.poll(() => arrived.mails).toBe(2);
  late.resolve();
  await expect.poll(() => sent('email')).toBe(1);
  await daemon.end('SIGTERM');
  expect(new Set(relay.mails.map(({ headers }) => headers.get('message-id'))).size).toBe(1);
  // ntfy accepts JSON only at its root path.
  const paths = POSTING_CHANNELS.map((id) => (id === 'ntfy' ? '/' : `/${id}`));
  expect(posts.posts.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
});
