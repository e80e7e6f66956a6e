import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonReceiver } from '../../support/notify/json-receiver.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

async function run(notify: object): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  writeFileSync(folder.at('ftm-watch.yaml'), JSON.stringify({ site: 'hq', notify }));
  const { code, output } = await runCommand(['notify', 'test', '-c', 'ftm-watch.yaml'], { cwd: folder.path });
  return { code, lines: output.trimEnd().split('\n') };
}

describe('notify test', () => {
  it('sends through every channel and prints each result', async () => {
    await using sink = await createMailServer({
      recipient: (address) => (address.startsWith('gone') ? { code: 550, text: 'no such user' } : null),
    });
    await using webhook = await jsonReceiver();
    await using alertmanager = await jsonReceiver(() => 500);
    const { code, lines } = await run({
      email: {
        from: 'ftm-watch@example.org',
        to: ['here@example.org', 'gone@example.org'],
        servers: [{ host: '127.0.0.1', port: sink.port, security: 'none' }],
      },
      webhooks: [{ url: webhook.url }],
      alertmanager: { urls: [alertmanager.url] },
    });
    expect(lines).toEqual([
      `email here@example.org: sent (127.0.0.1:${String(sink.port)})`,
      `email gone@example.org: rejected (127.0.0.1:${String(sink.port)}: 550 no such user)`,
      `webhook ${webhook.url}: sent (HTTP 200: status 200)`,
      `alertmanager ${alertmanager.url}/api/v2/alerts: failed for now (HTTP 500: status 500)`,
    ]);
    expect(code).toBe(2);
    expect(sink.mails[0]?.headers.get('x-ftm-watch-event')).toBe('test');
    expect(webhook.posts[0]?.body).toMatchObject({ event: 'test', site: 'hq', incidents: [] });
    expect(alertmanager.posts[0]?.body).toMatchObject([{ labels: { alertname: 'FtmWatchTest' } }]);
  });

  it('names a mail server at an IPv6 address with brackets', async () => {
    const nobody = { host: '::1', port: 1, security: 'none' };
    const { lines } = await run({ email: { from: 'a@example.org', to: ['b@example.org'], servers: [nobody] } });
    expect(lines[0]).toMatch(/^email b@example\.org: failed for now \(\[::1\]:1: /u);
  });

  it('says that nobody would be told', async () => {
    const { code, lines } = await run({});
    expect(code).toBe(3);
    expect(lines[0]).toContain('ftm-watch does not send notifications');
  });

  it('succeeds when everything was taken', async () => {
    await using webhook = await jsonReceiver();
    expect((await run({ webhooks: [{ url: webhook.url }] })).code).toBe(0);
  });
});
