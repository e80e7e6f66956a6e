import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { readSecret, type SecretSource } from '../../../src/system/secret.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import type { SecretUrl } from '../../../src/config/schema/secret.ts';
import { deliverTo, webhookChannel } from '../../support/notify/channel-bench.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { MINUTE, START } from '../../support/store/incident-timeline.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();
const NEVER = new AbortController().signal;

async function post(
  url: SecretUrl,
  tokenFile: string | null = null,
  context: typeof AT_HQ = AT_HQ,
): Promise<readonly RecipientOutcome[]> {
  const channel = webhookChannel(
    hookAt(url, { token: tokenFile === null ? null : { kind: 'file', path: tokenFile } }),
    { ...context, clock: systemClock, readSecret: (source) => readSecret(source, {}) },
  );
  const { recipients } = channel;
  return channel.deliver({ notification: firingOf(), recipients, firstFailedAt: START + MINUTE }, NEVER);
}

const deferredFor = (detail: string): object => ({ kind: 'deferred', detail: expect.stringContaining(detail) });

describe('a webhook channel', () => {
  it('posts JSON with the token as it is now', async () => {
    await using receiver = await jsonReceiver();
    const token = folder.at('token');
    for (const text of ['first', 'second']) {
      writeFileSync(token, `${text}\n`);
      expect(await post(receiver.url, token)).toMatchObject([{ recipient: receiver.url, kind: 'sent' }]);
    }
    rmSync(token);
    expect(receiver.posts.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
    expect(receiver.posts[0]?.body).toMatchObject({
      version: 2,
      id: '20261124T130030Z-a1b2c3d4e5-1.1',
      event: 'firing',
      site: 'hq',
      at: '2026-11-24T13:00:30.000Z',
      firstFailedAt: '2026-11-24T13:01:00.000Z',
      incidents: [
        { status: 'open', since: '2026-11-24T13:00:00.000Z', cause: 'tls-intercepted', severity: 'critical' },
      ],
    });
    expect(await post(receiver.url, token)).toMatchObject([deferredFor(token)]);
  });

  it('posts the headers of a file as they are now, besides the token', async () => {
    await using receiver = await jsonReceiver(({ headers }) => ({ status: 401, body: JSON.stringify(headers) }));
    const [path, token] = [folder.at('headers'), folder.at('token')];
    const channel = webhookChannel(
      hookAt(receiver.url, { token: { kind: 'file', path: token }, headers: { kind: 'file', path } }),
      { ...AT_HQ, clock: systemClock, readSecret: (source) => readSecret(source, {}) },
    );
    writeFileSync(token, 'token');
    for (const [text, said] of [
      ['X-Tenant: hq\r\nX-Key: id=1, key="s3cret-1"\r\n', 'HTTP 401'],
      ['X-Key: s3cret-2', 'HTTP 401'],
      ['X-Key: third\n\nAuthorization: Splunk s3cret', `"${path}", line 3`],
    ] as const) {
      writeFileSync(path, text);
      const outcomes = await deliverTo(channel, firingOf());
      expect(outcomes).toMatchObject([deferredFor(said)]);
      expect(JSON.stringify(outcomes)).not.toContain('s3cret');
    }
    expect(receiver.posts.map(({ headers }) => [headers.authorization, headers['x-tenant'], headers['x-key']])).toEqual(
      [
        ['Bearer token', 'hq', 'id=1, key="s3cret-1"'],
        ['Bearer token', undefined, 's3cret-2'],
      ],
    );
    expect(receiver.posts[0]?.headers['content-type']).toBe('application/json');
  });

  it('carries the links of what it tells; null where there are none', async () => {
    await using receiver = await jsonReceiver();
    await post(receiver.url, null, { ...AT_HQ, publicUrl: 'https://ftm.example.org' });
    await post(receiver.url);
    const links = {
      page: 'https://ftm.example.org/incidents/20261124T130030Z-a1b2c3d4e5-1',
      runbook: 'https://ftm.example.org/runbooks/tls-intercepted',
    };
    const none = { page: null, runbook: null };
    expect(receiver.posts.map(({ body }) => body)).toMatchObject([
      { links, incidents: [{ links }] },
      { links: none, incidents: [{ links: none }] },
    ]);
  });

  it('reads its URL from a file at each delivery, and is called by the file', async () => {
    await using receiver = await jsonReceiver(() => 404);
    const path = folder.at('url');
    const source = { kind: 'file', path } as const;
    const outcomes = [];
    for (const text of [`${receiver.url}/T0/first-secret`, `${receiver.url}/T0/second-secret`, 'first-secret']) {
      writeFileSync(path, `${text}\n`);
      outcomes.push(...(await post(source)));
    }
    rmSync(path);
    outcomes.push(...(await post(source)));
    expect(receiver.posts.map((posted) => posted.path)).toEqual(['/T0/first-secret', '/T0/second-secret']);
    const refused = { recipient: `file "${path}"`, kind: 'deferred' };
    expect(outcomes).toMatchObject([refused, refused, deferredFor('https://'), deferredFor(path)]);
    expect(JSON.stringify(outcomes)).not.toContain('-secret');
  });

  it('does not send a token in clear to a URL that was read', async () => {
    const [path, token] = [folder.at('url'), folder.at('token')];
    writeFileSync(path, 'http://192.0.2.1/hook');
    writeFileSync(token, 'token');
    expect(await post({ kind: 'file', path }, token)).toMatchObject([deferredFor('unencrypted')]);
    const hook = hookAt({ kind: 'file', path }, { headers: { kind: 'file', path: token } });
    const deps = { ...AT_HQ, clock: systemClock, readSecret: (source: SecretSource) => readSecret(source, {}) };
    expect(await deliverTo(webhookChannel(hook, deps), firingOf())).toMatchObject([deferredFor('unencrypted')]);
  });

  it.each([
    [204, 'sent'],
    [301, 'deferred'],
    [400, 'rejected'],
    [401, 'deferred'],
    [429, 'deferred'],
    [500, 'deferred'],
  ])('takes status %i as %s', async (status, kind) => {
    await using receiver = await jsonReceiver(() => status);
    expect(await post(receiver.url)).toMatchObject([{ kind }]);
    expect(receiver.posts).toHaveLength(1);
  });

  it.each([
    [429, '30', 30_000],
    [503, '0', 0],
    [429, 'Fri, 27 Nov 2026 07:00:00 GMT', undefined],
    [429, '-1', undefined],
    [400, '30', undefined],
    [200, '30', undefined],
  ])('takes from status %i with "Retry-After: %s" a pause of %s ms', async (status, seconds, retryAfter) => {
    await using receiver = await jsonReceiver(() => ({ status, headers: { 'retry-after': seconds } }));
    expect((await post(receiver.url))[0]?.retryAfter).toBe(retryAfter);
  });

  it('is called by its name', () => {
    const config = hookAt('https://hooks.example.org/secret', { name: 'ops chat' });
    const deps = { ...AT_HQ, clock: systemClock, readSecret: () => Promise.resolve('') };
    expect(webhookChannel(config, deps).recipients).toEqual(['ops chat']);
  });

  it.each([
    [200, 'sent'],
    [410, 'rejected'],
  ])('takes the status %i for the answer although the rest of it never comes', async (status, kind) => {
    await using peer = await listening(
      createServer((_, response) => response.writeHead(status, { 'content-length': 9 }).flushHeaders()),
    );
    const detail = `HTTP ${String(status)}`;
    expect(await post(`http://127.0.0.1:${String(peer.port)}`)).toMatchObject([{ kind, detail }]);
  });

  it('looks for an error in the whole answer, also if it comes in parts', async () => {
    await using peer = await listening(
      createServer((_, response) => {
        response.writeHead(200).write('{"jsonrpc":"2.0",', () => setImmediate(() => response.end('"error":{}}')));
      }),
    );
    const deps = { ...AT_HQ, clock: systemClock, readSecret: () => Promise.resolve('') };
    for (const [errorText, kind] of [
      ['"error"', 'deferred'],
      ['"errors"', 'sent'],
    ] as const) {
      const channel = webhookChannel(hookAt(`http://127.0.0.1:${String(peer.port)}`, { errorText }), deps);
      const detail = 'HTTP 200: {"jsonrpc":"2.0","error":{}}';
      expect(await deliverTo(channel, firingOf())).toMatchObject([{ kind, detail }]);
    }
  });

  it('gives up waiting for an answer when its time is over', async () => {
    const clock = handClock(START);
    await using receiver = await jsonReceiver(() => {
      clock.advance(15_000);
      return null;
    });
    const deps = { ...AT_HQ, clock, readSecret: () => Promise.resolve('') };
    expect(await deliverTo(webhookChannel(hookAt(receiver.url), deps), firingOf())).toMatchObject([
      { kind: 'deferred', detail: 'No result within 15000 ms' },
    ]);
    expect(clock.timers()).toBe(0);
  });
});
