import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDaemonBench, metricsOf, valueIn, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { freePort } from '../../support/network/free-port.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { POSTING_CHANNELS, postingSections } from '../../support/notify/posting-channels.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { until } from '../../support/time/until.ts';

const RELOADS = 6;
const WITHIN = 20_000;

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
});

afterAll(() => site[Symbol.asyncDispose]());

test('messages whose receivers answer only after six reloads, half of them refused, arrive once', async () => {
  await using taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
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
  const config = {
    licenseServer: { host: 'license.example.test', port: await freePort(), expectedAddresses: ['127.0.0.0/8'] },
    notify: {
      email: {
        from: 'ftm-watch@example.test',
        to: ['ops@example.test'],
        servers: [{ host: '127.0.0.1', port: relay.port, security: 'none' }],
      },
      ...postingSections((id) => `${posts.url}/${id}`),
    },
  };
  await site.configure(config);
  await using daemon = site.start({ env: { SET_SECRET: 'routing-key' } });
  const page = await daemon.page();
  await expect
    .poll(() => [arrived.mails, posts.posts.length], { timeout: WITHIN })
    .toEqual([1, POSTING_CHANNELS.length]);
  for (let reload = 0; reload < RELOADS; reload += 1) {
    // The new monitor detects on start that the port is in use, and then the old configuration is started again.
    const isRefused = reload % 2 === 0;
    await site.configure({
      ...config,
      ...(isRefused ? { logs: { syslog: { tcp: `127.0.0.1:${String(port)}` } } } : {}),
    });
    expect((await fetch(`${page}/-/reload`, { method: 'POST' })).ok).toBe(!isRefused);
  }
  answers.resolve();
  const sent = (channel: string): string => `ftm_notifications_total{channel="${channel}",result="sent"}`;
  await until(
    () => metricsOf(page),
    (metrics) => ['email', ...POSTING_CHANNELS].every((id) => valueIn(metrics, sent(id)) === 1),
    WITHIN,
  );
  await daemon.end('SIGTERM');
  expect(relay.mails).toHaveLength(1);
  // ntfy accepts JSON only at its root path.
  const paths = POSTING_CHANNELS.map((id) => (id === 'ntfy' ? '/' : `/${id}`));
  expect(posts.posts.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
});
