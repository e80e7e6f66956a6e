import { describe, expect, it } from 'vitest';
import { notifyTest } from '../../../src/cli/notify.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Config } from '../../../src/config/config.ts';
import { configOf } from '../../support/config/config-of.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { alertmanagerAt } from '../../support/monitoring/alertmanager-at.ts';
import { smtpSink } from '../../support/mail/smtp-sink.ts';

const NOTHING = await configOf('site: hq');

async function run(
  notify: Partial<Config['notify']>,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const code = await notifyTest(
    { ...NOTHING, notify: { ...NOTHING.notify, ...notify } },
    {
      clock: systemClock,
      env: {},
      output: { write: (text: string) => lines.push(text) },
      signal: new AbortController().signal,
    },
  );
  return { code, lines };
}

describe('notifyTest', () => {
  it('sends through every channel and prints each result', async () => {
    await using sink = await smtpSink({
      recipient: (address) => (address.startsWith('gone') ? { code: 550, text: 'no such user' } : null),
    });
    await using webhook = await jsonReceiver();
    await using alertmanager = await jsonReceiver(() => 500);
    const { code, lines } = await run({
      email: {
        from: 'ftm-watch@example.org',
        to: ['here@example.org', 'gone@example.org'],
        minSeverity: 'warning',
        servers: [{ host: '127.0.0.1', port: sink.port, security: 'none', user: null, password: null, caFile: null }],
      },
      webhooks: [hookAt(webhook.url)],
      alertmanager: alertmanagerAt([alertmanager.url]),
    });
    expect(lines).toEqual([
      `email here@example.org: sent (127.0.0.1:${String(sink.port)})\n`,
      `email gone@example.org: rejected (127.0.0.1:${String(sink.port)}: 550 no such user)\n`,
      `webhook ${webhook.url}: sent (HTTP 200: status 200)\n`,
      `alertmanager ${alertmanager.url}/api/v2/alerts: failed for now (HTTP 500: status 500)\n`,
    ]);
    expect(code).toBe(2);
    expect(sink.mails[0]?.headers.get('x-ftm-watch-event')).toBe('test');
    expect(webhook.posts[0]?.body).toMatchObject({ event: 'test', site: 'hq', incidents: [] });
    expect(alertmanager.posts[0]?.body).toMatchObject([{ labels: { alertname: 'FtmWatchTest' } }]);
  });

  it('names a mail server at an IPv6 address with brackets', async () => {
    const nobody = { host: '::1', port: 1, security: 'none', user: null, password: null, caFile: null } as const;
    const { lines } = await run({
      email: { from: 'a@example.org', to: ['b@example.org'], minSeverity: 'warning', servers: [nobody] },
    });
    expect(lines[0]).toMatch(/^email b@example\.org: failed for now \(\[::1\]:1: /u);
  });

  it('says that nobody would be told', async () => {
    const { code, lines } = await run({});
    expect(code).toBe(3);
    expect(lines[0]).toContain('ftm-watch sends no notifications');
  });

  it('succeeds when everything was taken', async () => {
    await using webhook = await jsonReceiver();
    expect((await run({ webhooks: [hookAt(webhook.url)] })).code).toBe(0);
  });
});
