import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { channelOf, deliverTo, mailChannel, webhookChannel } from '../../support/notify/channel-bench.ts';
import { POSTING_CHANNELS, postingSection } from '../../support/notify/posting-channels.ts';
import { echoHttp, echoSmtp } from '../../support/notify/echo-peers.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { createMailBench, LOGIN } from '../../support/mail/mail-bench.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';

const SECRET = 'hunter2-"/+ä-hunter2';
const DEPS = { ...AT_HQ, clock: systemClock, readSecret: () => Promise.resolve(SECRET) };
/** Matches the secret, its base64 at any offset, and the rest of a truncated secret. */
const TRACES = /hunter2|aHVudGVyM|h1bnRlcj|odW50ZXIy/u;

describe('a peer that quotes the secret that it was sent', () => {
  test('a mail server of notifications', async () => {
    await using server = await echoSmtp();
    const relay = {
      host: '127.0.0.1',
      port: server.port,
      security: 'none',
      user: 'ops',
      password: { kind: 'env', name: 'X' },
      caFile: null,
    } as const;

    const config = { from: 'a@example.org', to: ['b@example.org'], minSeverity: 'warning', servers: [relay] } as const;
    const outcomes = await deliverTo(mailChannel(config, DEPS), firingOf());

    expect(outcomes).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining('535') }]);
    expect(JSON.stringify(outcomes)).toContain('‹secret›');
    expect(JSON.stringify(outcomes)).not.toMatch(TRACES);
  });

  test("a mail server of FortiAuthenticator's", async () => {
    await using server = await echoSmtp();
    const bench = await createMailBench();
    const { outcome } = await bench.look(server.port, {
      config: { ...LOGIN, security: 'none' },
      ports: { readSecret: () => Promise.resolve(SECRET) },
    });
    expect(outcome).toMatchObject({ kind: 'failed', stage: 'login', code: 535 });
    expect(JSON.stringify(outcome)).toContain('‹secret›');
    expect(JSON.stringify(outcome)).not.toMatch(TRACES);
  });

  test('a web hook whose path is a secret', async () => {
    await using receiver = await echoHttp();
    const url = `http://127.0.0.1:${String(receiver.port)}/services/hunter2/x?key=hunter2`;
    const channel = webhookChannel(hookAt(url, { token: { kind: 'env', name: 'X' } }), DEPS);
    const outcomes = await deliverTo(channel, firingOf());
    expect(outcomes).toMatchObject([{ kind: 'deferred', detail: expect.stringContaining('HTTP 500') }]);
    expect(outcomes[0]?.recipient).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/… \([\da-f]{8}\)$/u);
    expect(JSON.stringify(outcomes)).not.toMatch(TRACES);
  });

  const otherSecrets: Readonly<Record<string, (url: string) => object>> = {
    // The address of PagerDuty's API is not a secret.
    pagerduty: (url) => ({ url: new URL(url).origin }),
    teams: (url) => ({ url: `${url}?sig=hunter2` }),
    ntfy: () => ({ tokenEnv: 'SET_SECRET' }),
    webhook: () => ({ signingSecretEnv: 'SET_SECRET' }),
  };
  test.each(POSTING_CHANNELS)('a service of %s', async (id) => {
    await using receiver = await echoHttp();
    const url = `http://127.0.0.1:${String(receiver.port)}/services/topic-hunter2`;
    const sections = postingSection(id, url, otherSecrets[id]?.(url));
    const outcomes = await deliverTo(await channelOf(sections, { env: { SET_SECRET: SECRET } }), firingOf());
    expect(outcomes).toMatchObject([
      { recipient: 'ops', kind: 'deferred', detail: expect.stringContaining('HTTP 500') },
    ]);
    expect(JSON.stringify(outcomes)).not.toMatch(TRACES);
  });
});
