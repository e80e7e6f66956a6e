import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listening, type Listening } from '../../../src/demo/lab/listening.ts';
import { createHeartbeat } from '../../../src/notify/heartbeat.ts';
import type { ChannelId } from '../../../src/config/schema/channels.ts';
import { postJson } from '../../../src/notify/channels/http-post.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { channelOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { type ConnectProxy, createConnectProxy } from '../../support/network/http-proxy.ts';
import { POSTING_CHANNELS, postingSection } from '../../support/notify/posting-channels.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

/** A name that no resolver can resolve, so that it is reached only through the proxy. */
const HOST = 'hooks.example.test';
const URL_OF_SERVICE = `https://${HOST}/services/secret`;

const folder = folderOfAllTests();
let caFile: string;
let secretFile: string;
let port: number;
let service: Listening;
let paths: (string | undefined)[] = [];

beforeAll(async () => {
  const { root, intermediate, leaf } = await createHierarchy({ name: `CN=${HOST}`, dnsNames: [HOST] });
  caFile = folder.at('ca.pem');
  await writeFile(caFile, root.pem);
  secretFile = folder.at('secret');
  await writeFile(secretFile, 'päss');
  service = await listening(
    createServer({ cert: chainPem(leaf, intermediate), key: leaf.keyPem }, (request, response) => {
      paths.push(request.url);
      response.end('{}');
    }),
  );
  ({ port } = service);
});
afterAll(() => service.close());
beforeEach(() => {
  paths = [];
});

/** Sends one notification over one channel. @returns the outcome */
async function send(channel: ChannelId, notify: object, env: Readonly<Record<string, string>> = {}) {
  const sections = { ...postingSection(channel, URL_OF_SERVICE, { caFile }), ...notify };
  const [outcome] = await deliverTo(
    await channelOf(sections, { env: { SET_SECRET: 'routing-key', ...env } }),
    firingOf(),
  );
  return outcome;
}

function urlOf({ port: own }: Pick<ConnectProxy, 'port'>): string {
  return `http://127.0.0.1:${String(own)}`;
}

describe.each(POSTING_CHANNELS)('%s', (channel) => {
  test('goes through the configured proxy, with its login', async () => {
    await using proxy = await createConnectProxy(port);
    const login = { url: urlOf(proxy), user: 'fac', passwordFile: secretFile };
    expect(await send(channel, { proxy: login })).toMatchObject({ kind: 'sent' });
    const token = Buffer.from('fac:päss', 'utf8').toString('base64');
    expect(proxy.asked).toEqual([
      expect.stringMatching(
        new RegExp(`^CONNECT ${HOST}:443 HTTP/1.1\r\n[^]*proxy-authorization: Basic ${token}\r\n`, 'iu'),
      ),
    ]);
    expect(paths).toHaveLength(1);
  });

  test('goes through the proxy of the environment', async () => {
    await using proxy = await createConnectProxy(port);
    expect(await send(channel, {}, { HTTPS_PROXY: urlOf(proxy) })).toMatchObject({ kind: 'sent' });
    expect(await send(channel, {}, { https_proxy: urlOf(proxy) })).toMatchObject({ kind: 'sent' });
    expect(proxy.asked).toHaveLength(2);
  });

  test('is direct where NO_PROXY names the host', async () => {
    await using proxy = await createConnectProxy(port);
    const outcome = await send(channel, {}, { HTTPS_PROXY: urlOf(proxy), NO_PROXY: '.example.test' });
    expect(outcome).toMatchObject({ kind: 'deferred', detail: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/u) });
    expect(proxy.asked).toEqual([]);
  });
});

test('the configured proxy counts, whatever the environment says', async () => {
  await using proxy = await createConnectProxy(port);
  await using other = await createConnectProxy(port);
  const env = { HTTPS_PROXY: urlOf(other), NO_PROXY: '*' };
  expect(await send('slack', { proxy: urlOf(proxy) }, env)).toMatchObject({ kind: 'sent' });
  expect([proxy.asked.length, other.asked.length]).toEqual([1, 0]);
});

test('a proxy that refuses is named, and the message is tried again', async () => {
  await using proxy = await createConnectProxy(port, 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  expect(await send('slack', { proxy: urlOf(proxy) })).toMatchObject({
    kind: 'deferred',
    detail: expect.stringMatching(new RegExp(`407.*through the proxy 127\\.0\\.0\\.1:${String(proxy.port)}`, 'u')),
  });
});

test('this machine is never proxied', async () => {
  await using proxy = await createConnectProxy(port);
  await using receiver = await jsonReceiver();
  const env = { HTTP_PROXY: urlOf(proxy) };
  const webhooks = { webhooks: [{ url: receiver.url }] };
  expect(await send('webhook', { ...webhooks, proxy: urlOf(proxy) })).toMatchObject({ kind: 'sent' });
  expect(await send('webhook', webhooks, env)).toMatchObject({ kind: 'sent' });
  expect(receiver.posts).toHaveLength(2);
  expect(proxy.seen).toBe(0);
});

test('a variable that is no URL is an outcome, and is not printed', async () => {
  const outcome = await send('slack', {}, { HTTPS_PROXY: 'user:secret@' });
  expect(outcome?.kind).toBe('deferred');
  expect(outcome?.detail).not.toContain('secret');
});

test('a post without TLS goes to the proxy as it is', async () => {
  await using proxy = await jsonReceiver();
  const post = { url: `http://${HOST}/in`, body: {}, authorization: null, secrets: [], caFile: null };
  const { hostname: host, port: own } = new URL(proxy.url);
  const deps = {
    clock: systemClock,
    proxy: { host, port: Number(own), user: null, password: null },
    env: {},
    readSecret: () => Promise.reject(new Error('none')),
  };
  expect(await postJson(post, deps, AbortSignal.timeout(5_000))).toMatchObject({ kind: 'sent' });
  expect(proxy.posts.map(({ path }) => path)).toEqual([`http://${HOST}/in`]);
});

test('the heartbeat goes through the proxy too', async () => {
  await using proxy = await createConnectProxy(port);
  const logger = logRecorder();
  const heartbeat = createHeartbeat(
    { url: URL_OF_SERVICE, every: 60_000 },
    {
      clock: systemClock,
      logger,
      isAlive: () => true,
      proxy: { host: '127.0.0.1', port: proxy.port, user: null, password: null },
      env: {},
      readSecret: () => Promise.reject(new Error('none')),
    },
  );
  heartbeat.start();
  await expect.poll(() => proxy.asked.length).toBe(1);
  heartbeat.stop();
  expect(proxy.asked[0]).toMatch(new RegExp(`^CONNECT ${HOST}:443 `, 'u'));
});
