import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { readSecret } from '../../../src/secret.ts';
import { createAlertmanagerClient } from '../../../src/notify/alertmanager.ts';
import { alertsOf } from '../../../src/notify/alerts.ts';
import type { RecipientOutcome } from '../../../src/notify/channel.ts';
import { createWebhookChannel } from '../../../src/notify/webhook.ts';
import { causeOf } from '../../support/diagnosis-of.ts';
import { handClock } from '../../support/hand-clock.ts';
import { MINUTE, SECOND, START, timeline } from '../../support/incident-timeline.ts';
import { jsonReceiver } from '../../support/json-receiver.ts';

const NEVER = new AbortController().signal;

async function post(url: string, tokenFile: string | null = null): Promise<readonly RecipientOutcome[]> {
  const [notification] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;
  if (notification === undefined) throw new Error('Nothing was told');
  const channel = createWebhookChannel(
    'hq',
    { url, token: tokenFile === null ? null : { kind: 'file', path: tokenFile }, caFile: null },
    { clock: systemClock, readSecret: (source) => readSecret(source, {}) },
  );
  return channel.deliver({ notification, recipients: channel.recipients, firstFailedAt: START + MINUTE }, NEVER);
}

describe('createWebhookChannel', () => {
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
      id: '20261124T130030Z-1.1',
      event: 'firing',
      site: 'hq',
      at: '2026-11-24T13:00:30.000Z',
      firstFailedAt: '2026-11-24T13:01:00.000Z',
      incidents: [{ status: 'open', since: '2026-11-24T13:00:00.000Z', cause: { id: 'tls-intercepted', severity: 'critical' } }],
    });
    expect(await post(receiver.url, token)).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining(token) as string }]);
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

  it('gives up waiting for an answer when its time is over', async () => {
    const clock = handClock(START);
    await using receiver = await jsonReceiver(() => {
      clock.advance(15_000);
      return null;
    });
    const [notification] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;
    if (notification === undefined) throw new Error('Nothing was told');
    const config = { url: receiver.url, token: null, caFile: null };
    const channel = createWebhookChannel('hq', config, { clock, readSecret: () => Promise.resolve('') });
    expect(await channel.deliver({ notification, recipients: [receiver.url], firstFailedAt: null }, NEVER)).toMatchObject([
      { kind: 'deferred', detail: 'No result within 15000 ms' },
    ]);
    expect(clock.timers()).toBe(0);
  });
});

describe('createAlertmanagerClient', () => {
  const line = timeline().rounds(2, [causeOf('tls-intercepted')]);
  const alerts = (now: number): ReturnType<typeof alertsOf> => alertsOf(line.state, 'hq', now);

  it('tells every instance, again before a minute is over, and at once what is new', async () => {
    await using first = await jsonReceiver();
    await using second = await jsonReceiver(() => 500);
    const clock = handClock(START);
    const client = createAlertmanagerClient([first.url, `${second.url}/`], clock);
    const results = await client.send(alerts(clock.now()), NEVER);
    expect(results.map(({ kind }) => kind)).toEqual(['sent', 'deferred']);
    expect(first.posts[0]?.path).toBe('/api/v2/alerts');
    expect(second.posts[0]?.path).toBe('/api/v2/alerts');
    expect(first.posts[0]?.body).toMatchObject([
      {
        labels: {
          alertname: 'FtmActivationBroken',
          site: 'hq',
          cause: 'tls-intercepted',
          severity: 'critical',
          subject: 'fortitokenmobile.fortinet.com:443',
        },
        startsAt: '2026-11-24T13:00:00.000Z',
        endsAt: '2026-11-24T13:04:00.000Z',
      },
    ]);
    for (let second_ = 0; second_ < 120; second_ += 2) {
      clock.advance(2 * SECOND);
      await client.send(alerts(clock.now()), NEVER);
    }
    expect(first.posts).toHaveLength(3);
    expect(second.posts).toHaveLength(13);
    expect(first.posts[1]?.body).toMatchObject([{ endsAt: '2026-11-24T13:04:56.000Z' }]);
    await client.send([...alerts(clock.now()), ...alertsOf(line.state, 'branch', clock.now())], NEVER);
    expect(first.posts).toHaveLength(4);
  });

  it('tells nobody anything while there is nothing to tell', async () => {
    await using receiver = await jsonReceiver();
    expect(await createAlertmanagerClient([receiver.url], handClock(START)).send([], NEVER)).toEqual([]);
    expect(receiver.posts).toEqual([]);
  });
});
