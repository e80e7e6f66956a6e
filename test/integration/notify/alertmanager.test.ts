import { describe, expect, it } from 'vitest';
import { readSecret, type SecretReader } from '../../../src/system/secret.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { EMPTY_STATE } from '../../../src/engine/incident/incident.ts';
import type { StateChannel } from '../../../src/notify/channels/channel.ts';
import { createAlertmanager } from '../../../src/notify/channels/alertmanager.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { alertmanagerAt } from '../../support/monitoring/alertmanager-at.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { HOUR, MINUTE, SECOND, START, timeline, type Timeline } from '../../support/store/incident-timeline.ts';
import { jsonReceiver, type ReceivedPost } from '../../support/notify/json-receiver.ts';

const NEVER = new AbortController().signal;

const secrets: SecretReader = (source) => readSecret(source, {});

/** Returns the alerts in a message, `firing cause` or `over cause` for each one. */
function said({ body }: ReceivedPost): readonly string[] {
  const alerts = body as readonly { readonly labels: Readonly<Record<string, string>>; readonly endsAt?: string }[];
  return alerts.map(({ labels, endsAt }) => `${endsAt === undefined ? 'firing' : 'over'} ${labels['cause'] ?? ''}`);
}

function channelAt(
  urls: readonly string[],
  clock: Clock,
  more: Parameters<typeof alertmanagerAt>[1] = {},
  readSecrets = secrets,
): StateChannel {
  const deps = { ...AT_HQ, clock, readSecret: readSecrets };
  const [channel] = createAlertmanager({ alertmanager: alertmanagerAt(urls, more) }, deps);
  if (channel?.kind !== 'state') throw new Error('Expected a state channel');
  return channel;
}

describe('the Alertmanager channel', () => {
  const { state } = timeline().rounds(2, [causeOf('tls-intercepted')]);

  /** A client whose clock advances together with the incidents. */
  function telling(urls: readonly string[]): {
    readonly line: Timeline;
    readonly client: StateChannel;
    readonly pass: (time: number) => Promise<void>;
  } {
    const own = timeline();
    const clock = handClock(START);
    const client = channelAt(urls, clock);
    return {
      line: own,
      client,
      pass: async (time) => {
        for (const end = clock.now() + time; clock.now() < end; clock.advance(2 * SECOND)) {
          own.now = clock.now();
          await client.publish(own.tick().state, NEVER);
        }
      },
    };
  }

  it('tells every instance, again before a minute is over, and at once what is new', async () => {
    await using first = await jsonReceiver();
    await using second = await jsonReceiver(() => 500);
    const clock = handClock(START);
    const client = channelAt([first.url, `${second.url}/`], clock);
    const results = await client.publish(state, NEVER);
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
      await client.publish(state, NEVER);
    }
    expect(first.posts).toHaveLength(3);
    expect(second.posts).toHaveLength(13);
    expect(first.posts.map(said)).toEqual([
      ['firing tls-intercepted'],
      ['firing tls-intercepted'],
      ['firing tls-intercepted'],
    ]);
    const { state: withNews } = timeline().rounds(2, [causeOf('tls-intercepted'), causeOf('mail-unreachable')]);
    await client.publish(withNews, NEVER);
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
    await pass(2 * HOUR);
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
    const client = channelAt([receiver.url], handClock(START));
    await client.publish(state, NEVER);
    expect(client.waiting()).toBe(1);
    await client.publish(EMPTY_STATE, NEVER);
    expect(client.waiting()).toBe(0);
  });

  it.each([
    ['a login', { user: 'ops', password: { kind: 'env', name: 'PASSWORD' } }, 'Basic b3BzOnMzY3JldA=='],
    ['a token', { token: { kind: 'env', name: 'PASSWORD' } }, 'Bearer s3cret'],
    ['nothing', {}, undefined],
  ] as const)('logs in with %s', async (_, credentials, header) => {
    await using receiver = await jsonReceiver(() => 401);
    const client = channelAt([receiver.url], handClock(START), credentials, (source) =>
      readSecret(source, { PASSWORD: 's3cret' }),
    );
    await client.publish(state, NEVER);
    expect(receiver.posts.map(({ headers }) => headers.authorization)).toEqual([header]);
  });

  it('tries again when its password cannot be read', async () => {
    await using receiver = await jsonReceiver();
    const credentials = { user: 'ops', password: { kind: 'env', name: 'PASSWORD' } } as const;
    const client = channelAt([receiver.url], handClock(START), credentials);
    expect(await client.publish(state, NEVER)).toMatchObject([
      { kind: 'deferred', detail: expect.stringContaining('PASSWORD') as string },
    ]);
    expect(receiver.posts).toEqual([]);
    expect(client.waiting()).toBe(1);
  });

  it('tells nobody anything while there is nothing to tell', async () => {
    await using receiver = await jsonReceiver();
    expect(await channelAt([receiver.url], handClock(START)).publish(EMPTY_STATE, NEVER)).toEqual([]);
    expect(receiver.posts).toEqual([]);
  });
});
