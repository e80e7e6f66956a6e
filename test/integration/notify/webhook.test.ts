import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { readSecret, type SecretReader } from '../../../src/system/secret.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import type { SecretUrl } from '../../../src/config/schema/secret.ts';
import { webhookChannel } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { MINUTE, START, timeline } from '../../support/store/incident-timeline.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';

const NEVER = new AbortController().signal;

const secrets: SecretReader = (source) => readSecret(source, { HOOK_URL: 'nonsense' });

async function post(
  url: SecretUrl,
  tokenFile: string | null = null,
  context: typeof AT_HQ = AT_HQ,
): Promise<readonly RecipientOutcome[]> {
  const [notification] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;
  if (notification === undefined) throw new Error('Nothing was told');
  const channel = webhookChannel(
    hookAt(url, { token: tokenFile === null ? null : { kind: 'file', path: tokenFile } }),
    { ...context, clock: systemClock, readSecret: secrets },
  );
  return channel.deliver({ notification, recipients: channel.recipients, firstFailedAt: START + MINUTE }, NEVER);
}

/** An HTTP server that sends a status and headers, but never a body. */
async function headersOnly(status: number): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) =>
    response.writeHead(status, { 'content-length': 9 }).flushHeaders(),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('a webhook channel', () => {
  it('posts JSON with the token as it is now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-webhook-'));
    await using receiver = await jsonReceiver();
    const token = join(folder, 'token');
    writeFileSync(token, 'first\n');
    expect(await post(receiver.url, token)).toMatchObject([{ recipient: receiver.url, kind: 'sent' }]);
    writeFileSync(token, 'second\n');
    await post(receiver.url, token);
    rmSync(folder, { recursive: true });
    expect(receiver.posts.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
    expect(receiver.posts[0]?.body).toMatchObject({
      version: 1,
      id: '20261124T130030Z-a1b2c3d4e5-1.1',
      event: 'firing',
      site: 'hq',
      at: '2026-11-24T13:00:30.000Z',
      firstFailedAt: '2026-11-24T13:01:00.000Z',
      incidents: [
        { status: 'open', since: '2026-11-24T13:00:00.000Z', cause: { id: 'tls-intercepted', severity: 'critical' } },
      ],
    });
    expect(await post(receiver.url, token)).toMatchObject([
      { kind: 'deferred', detail: expect.stringContaining(token) as string },
    ]);
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
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-webhook-'));
    await using receiver = await jsonReceiver(() => 404);
    const path = join(folder, 'url');
    const source = { kind: 'file', path } as const;
    writeFileSync(path, `${receiver.url}/T0/first-secret\n`);
    const first = await post(source);
    writeFileSync(path, `${receiver.url}/T0/second-secret\n`);
    await post(source);
    expect(receiver.posts.map((posted) => posted.path)).toEqual(['/T0/first-secret', '/T0/second-secret']);
    expect(first).toMatchObject([{ recipient: `file "${path}"`, kind: 'deferred' }]);
    writeFileSync(path, 'first-secret');
    const refused = await post(source);
    expect(refused).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining('https://') as string }]);
    rmSync(folder, { recursive: true });
    const gone = await post(source);
    expect(gone).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining(path) as string }]);
    expect(JSON.stringify([first, refused, gone])).not.toContain('-secret');
  });

  it('does not send a token in clear to a URL that was read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-webhook-'));
    const [url, token] = [join(folder, 'url'), join(folder, 'token')];
    writeFileSync(url, 'http://192.0.2.1/hook');
    writeFileSync(token, 'token');
    expect(await post({ kind: 'file', path: url }, token)).toMatchObject([
      { kind: 'deferred', detail: expect.stringContaining('sent unencrypted') as string },
    ]);
    rmSync(folder, { recursive: true });
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

  it('is called by its name', async () => {
    const channel = webhookChannel(hookAt('https://hooks.example.org/secret', { name: 'ops chat' }), {
      ...AT_HQ,
      clock: systemClock,
      readSecret: secrets,
    });
    expect(channel.recipients).toEqual(['ops chat']);
  });

  it('takes the status for the answer, whether or not the rest of it comes', async () => {
    await using receiver = await headersOnly(200);
    expect(await post(receiver.url)).toMatchObject([{ kind: 'sent', detail: 'HTTP 200' }]);
    await using refusing = await headersOnly(410);
    expect(await post(refusing.url)).toMatchObject([{ kind: 'rejected', detail: 'HTTP 410' }]);
  });

  it('gives up waiting for an answer when its time is over', async () => {
    const clock = handClock(START);
    await using receiver = await jsonReceiver(() => {
      clock.advance(15_000);
      return null;
    });
    const [notification] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;
    if (notification === undefined) throw new Error('Nothing was told');
    const config = hookAt(receiver.url);
    const channel = webhookChannel(config, { ...AT_HQ, clock, readSecret: () => Promise.resolve('') });
    expect(
      await channel.deliver({ notification, recipients: [receiver.url], firstFailedAt: null }, NEVER),
    ).toMatchObject([{ kind: 'deferred', detail: 'No result within 15000 ms' }]);
    expect(clock.timers()).toBe(0);
  });
});
