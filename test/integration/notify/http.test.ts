import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { readSecret } from '../../../src/system/secret.ts';
import { createAlertmanagerClient } from '../../../src/notify/channels/alertmanager/client.ts';
import type { AlertmanagerClient } from '../../../src/notify/channels/alertmanager/client.ts';
import { alertsOf } from '../../../src/notify/channels/alertmanager/alerts.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';
import { createWebhookChannel } from '../../../src/notify/channels/webhook/webhook-channel.ts';
import { causeOf } from '../../support/diagnosis-of.ts';
import { handClock } from '../../support/hand-clock.ts';
import { HOUR, MINUTE, SECOND, START, timeline } from '../../support/incident-timeline.ts';
import type { Timeline } from '../../support/incident-timeline.ts';
import { jsonReceiver } from '../../support/json-receiver.ts';
import type { ReceivedPost } from '../../support/json-receiver.ts';

const NEVER = new AbortController().signal;

async function post(url: string, tokenFile: string | null = null): Promise<readonly RecipientOutcome[]> {
  const [notification] = timeline().rounds(2, [causeOf('tls-intercepted')]).told;
  if (notification === undefined) throw new Error('Nothing was told');
  const channel = createWebhookChannel(
    { url, token: tokenFile === null ? null : { kind: 'file', path: tokenFile }, caFile: null },
    { site: 'hq', clock: systemClock, readSecret: (source) => readSecret(source, {}) },
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
    const channel = createWebhookChannel(config, { site: 'hq', clock, readSecret: () => Promise.resolve('') });
    expect(
      await channel.deliver({ notification, recipients: [receiver.url], firstFailedAt: null }, NEVER),
    ).toMatchObject([{ kind: 'deferred', detail: 'No result within 15000 ms' }]);
    expect(clock.timers()).toBe(0);
  });
});

/** What a message said, `firing cause` or `over cause` for each alert. */
function said({ body }: ReceivedPost): readonly string[] {
  const alerts = body as readonly { readonly labels: Readonly<Record<string, string>>; readonly endsAt?: string }[];
  return alerts.map(({ labels, endsAt }) => `${endsAt === undefined ? 'firing' : 'over'} ${labels['cause'] ?? ''}`);
}

describe('createAlertmanagerClient', () => {
  const line = timeline().rounds(2, [causeOf('tls-intercepted')]);
  const alerts = (now: number): ReturnType<typeof alertsOf> => alertsOf(line.state, 'hq', now);

  /** A client whose clock goes on together with the incidents. */
  function telling(urls: readonly string[]): {
    readonly line: Timeline;
    readonly client: AlertmanagerClient;
    readonly pass: (time: number) => Promise<void>;
  } {
    const own = timeline();
    const clock = handClock(START);
    const client = createAlertmanagerClient(urls, clock);
    return {
      line: own,
      client,
      pass: async (time) => {
        for (const end = clock.now() + time; clock.now() < end; clock.advance(2 * SECOND)) {
          own.now = clock.now();
          await client.send(alertsOf(own.tick().state, 'hq', own.now), NEVER);
        }
      },
    };
  }

  it('tells every instance, again before a minute is over, and at once what is new', async () => {
    await using first = await jsonReceiver();
    await using second = await jsonReceiver(() => 500);
    const clock = handClock(START);
    const client = createAlertmanagerClient([first.url, `${second.url}/`], clock);
    const results = await client.send(alerts(clock.now()), NEVER);
    expect(results.map(({ kind }) => kind)).toEqual(['sent', 'deferred']);
    expect(client.waiting()).toBe(1);
    expect(client.takenAt()).toBe(START);
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
      },
    ]);
    for (let second_ = 0; second_ < 120; second_ += 2) {
      clock.advance(2 * SECOND);
      await client.send(alerts(clock.now()), NEVER);
    }
    expect(first.posts).toHaveLength(3);
    expect(second.posts).toHaveLength(13);
    expect(first.posts.map(said)).toEqual([
      ['firing tls-intercepted'],
      ['firing tls-intercepted'],
      ['firing tls-intercepted'],
    ]);
    await client.send([...alerts(clock.now()), ...alertsOf(line.state, 'branch', clock.now())], NEVER);
    expect(first.posts).toHaveLength(4);
  });

  it('tells once what is over, and goes on with what is not', async () => {
    await using receiver = await jsonReceiver();
    const { line: own, pass } = telling([receiver.url]);
    own.rounds(2, [causeOf('tls-intercepted'), causeOf('mail-unreachable')], 0);
    await pass(10 * SECOND);
    own.rounds(2, [causeOf('mail-unreachable')], 0);
    await pass(2 * MINUTE);
    const over = receiver.posts.map(said).filter((alert) => alert.includes('over tls-intercepted'));
    expect(over).toEqual([['firing mail-unreachable', 'over tls-intercepted']]);
    own.rounds(2, [], 0);
    await pass(20 * MINUTE);
    expect(receiver.posts.map(said).at(-1)).toEqual(['over mail-unreachable']);
    expect(receiver.posts.map(said).filter((alert) => alert.includes('over mail-unreachable'))).toHaveLength(1);
  });

  it('tells an instance that was down what ended meanwhile, however long it was', async () => {
    let status = 200;
    await using receiver = await jsonReceiver(() => status);
    const { line: own, client, pass } = telling([receiver.url]);
    own.rounds(2, [causeOf('tls-intercepted')], 0);
    await pass(10 * SECOND);
    status = 503;
    own.rounds(2, [], 0);
    await pass(HOUR);
    expect(own.state.incidents).toEqual([]);
    expect(client.waiting()).toBe(1);
    expect(client.takenAt()).toBeLessThan(START + MINUTE);
    status = 200;
    receiver.posts.length = 0;
    await pass(HOUR);
    expect(receiver.posts.map(said)).toEqual([['over tls-intercepted']]);
    expect(client.waiting()).toBe(0);
  });

  it('does not end what came back before the instance heard of the end', async () => {
    let status = 200;
    await using receiver = await jsonReceiver(() => status);
    const { line: own, pass } = telling([receiver.url]);
    own.rounds(2, [causeOf('tls-intercepted')], 0);
    await pass(10 * SECOND);
    status = 503;
    own.rounds(2, [], 0);
    await pass(30 * SECOND);
    own.rounds(2, [causeOf('tls-intercepted')], 0);
    await pass(20 * SECOND);
    status = 200;
    receiver.posts.length = 0;
    await pass(3 * MINUTE);
    expect(new Set(receiver.posts.flatMap(said))).toEqual(new Set(['firing tls-intercepted']));
  });

  it('waits for nobody when what could not be told is gone without an end', async () => {
    await using receiver = await jsonReceiver(() => 503);
    const client = createAlertmanagerClient([receiver.url], handClock(START));
    await client.send(alerts(START), NEVER);
    expect(client.waiting()).toBe(1);
    await client.send([], NEVER);
    expect(client.waiting()).toBe(0);
  });

  it('tells nobody anything while there is nothing to tell', async () => {
    await using receiver = await jsonReceiver();
    expect(await createAlertmanagerClient([receiver.url], handClock(START)).send([], NEVER)).toEqual([]);
    expect(receiver.posts).toEqual([]);
  });
});
