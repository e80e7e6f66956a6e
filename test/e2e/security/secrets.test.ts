import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMailHost, type MailHost } from '../../../src/demo/lab/mail-host.ts';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { echoApi, echoHttp, echoProxy, echoSmtp, echoSnmp, type EchoPeer } from '../../support/notify/echo-peers.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { until } from '../../support/time/until.ts';
import { basicAuth } from '../../support/web/web-bench.ts';

/** The prefix of every secret, which occurs nowhere else. */
const MARK = 'c4n4ry';

const SECRETS = {
  proxy: `${MARK}-proxy-"/+ä`,
  mail: `${MARK}-mail-"/+ä`,
  relay: `${MARK}-relay-"/+ä`,
  appliance: `${MARK}-appliance-"/+`,
  community: `${MARK}-community`,
  registration: `${MARK}-registration-"/+ä`,
  accessToken: `${MARK}-access-token/+`,
  firewall: `${MARK}-firewall-"/+`,
  webhook: `${MARK}-webhook/+`,
  headers: `${MARK}-headers/+=`,
  webhookPath: `${MARK}-webhook-path`,
  heartbeatPath: `${MARK}-heartbeat-path`,
  webPassword: `${MARK}-web-password`,
  wrongPassword: `${MARK}-wrong-password`,
  unused: `${MARK}-of-another-program`,
} as const;

/** The secrets as they are, and as part of a base64 text at any offset. */
const FORMS = Object.values(SECRETS).flatMap((secret) => [secret, encodeURIComponent(secret), ...inBase64(secret)]);

function inBase64(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8');
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/u, '');
    return whole.slice(offset === 0 ? 0 : offset + 1, Math.floor((8 * (offset + bytes.length)) / 6));
  });
}

/** Returns the secrets found in a text, with the text around them. */
function leaksIn(text: string): readonly string[] {
  return [MARK, ...FORMS].flatMap((form) => {
    const at = text.indexOf(form);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 150), at + form.length + 20)];
  });
}

let folder = '';
let inbox: MailHost;
let daemon: DaemonProcess;
let stack: AsyncDisposableStack;
let peers: Record<'http' | 'api' | 'proxy' | 'snmp', EchoPeer>;
let env: Record<string, string> = {};
let hash = '';
let url = '';

async function configure(smtpPort: number, pem: string): Promise<void> {
  const at = (peer: EchoPeer, scheme = 'https'): string => `${scheme}://127.0.0.1:${String(peer.port)}`;
  const login = { host: '127.0.0.1', port: smtpPort, security: 'none', user: 'monitor' };
  const config = {
    site: 'lab',
    licenseServer: {
      host: '127.0.0.1',
      port: 443,
      expectedAddresses: ['127.0.0.1'],
      proxy: { url: at(peers.proxy, 'http'), user: 'monitor', passwordFile: 'proxy' },
    },
    controlHosts: [],
    mail: [{ ...login, passwordFile: 'mail' }],
    appliances: [
      {
        name: 'fac-1',
        serial: 'FAC-VM0000000001',
        licenses: ['EFTM000000000001'],
        api: { url: at(peers.api), user: 'monitor', keyFile: 'appliance', caFile: 'echo.pem' },
        snmp: { host: '127.0.0.1', port: peers.snmp.port, communityEnv: 'COMMUNITY' },
      },
    ],
    registration: {
      user: 'monitor',
      passwordFile: 'registration',
      url: at(peers.api),
      authUrl: at(peers.api),
      caFile: 'echo.pem',
    },
    firewall: { url: at(peers.api), tokenEnv: 'FIREWALL', source: '127.0.0.1', caFile: 'echo.pem' },
    schedule: { probes: '* * * * * *', appliance: '* * * * * *', registration: '* * * * * *' },
    notify: {
      email: {
        from: 'ftm-watch@example.org',
        to: ['admins@example.org'],
        servers: [
          { ...login, passwordEnv: 'RELAY' },
          { host: '127.0.0.1', port: inbox.port, security: 'none' },
        ],
      },
      alertmanager: { urls: [at(peers.http, 'http')] },
      webhooks: [
        { url: `${at(peers.http, 'http')}/${SECRETS.webhookPath}/x?key=${SECRETS.webhookPath}`, tokenFile: 'webhook' },
        { url: `${at(peers.http, 'http')}/headers`, headersFile: 'headers' },
      ],
      heartbeat: { url: `${at(peers.http, 'http')}/${SECRETS.heartbeatPath}`, every: '1s' },
      policy: { confirmations: 1, recoveries: 1, reminder: '1h', maxPerHour: 100 },
    },
    web: { listen: '127.0.0.1:0', users: [{ name: 'ops', passwordHashEnv: 'OPS_HASH' }] },
    store: { path: 'data/ftm-watch.sqlite' },
    log: { level: 'trace' },
  };
  await writeFile(join(folder, 'ftm-watch.yaml'), JSON.stringify(config, null, 2));
  await writeFile(join(folder, 'echo.pem'), pem);
  const headers = `Authorization: Splunk ${SECRETS.headers}\nX-Key: token="${SECRETS.headers}"\n`;
  await writeFile(join(folder, 'headers'), headers, { mode: 0o600 });
  const files = ['proxy', 'mail', 'appliance', 'registration', 'webhook'] as const;
  for (const name of files) await writeFile(join(folder, name), `${SECRETS[name]}\n`, { mode: 0o600 });
}

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'ftm-watch-secrets-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const smtp = stack.use(await echoSmtp());
  inbox = stack.use(await createMailHost());
  const api = stack.use(await echoApi(SECRETS.accessToken));
  peers = {
    api,
    http: stack.use(await echoHttp()),
    proxy: stack.use(await echoProxy()),
    snmp: stack.use(await echoSnmp()),
  };
  hash = await hashPassword(SECRETS.webPassword, { ln: 4, r: 8, p: 1 });
  env = {
    COMMUNITY: SECRETS.community,
    FIREWALL: SECRETS.firewall,
    RELAY: SECRETS.relay,
    OPS_HASH: hash,
    UNUSED: SECRETS.unused,
  };
  await configure(smtp.port, api.pem);
  daemon = stack.use(startDaemonProcess({ cwd: folder, args: ['--config', 'ftm-watch.yaml'], env }));
  url = await daemon.page();
  await daemon.logged('notification-deferred');
  await inbox.mail(({ cause }) => cause === 'mail-login-rejected', AbortSignal.timeout(60_000));
  await daemon.logged('alerts-refused');
  await daemon.logged('heartbeat-refused');
});

afterAll(async () => {
  await stack.disposeAsync();
});

/** Polls until the response is complete, because the first rounds are still running. */
async function get(path: string, done: (text: string) => boolean = () => true): Promise<string> {
  const ask = async (): Promise<{ readonly ok: boolean; readonly text: string }> => {
    const response = await fetch(`${url}${path}`, basicAuth('ops', SECRETS.webPassword));
    return { ok: response.ok, text: await response.text() };
  };
  return (await until(ask, ({ ok, text }) => ok && done(text), 60_000)).text;
}

describe('a peer that quotes the secrets that it was sent', () => {
  test('is heard: its answers are what is looked at', async () => {
    // Every second login to the registration service is refused. Otherwise, the lookup is.
    const shown = [/status -1|oauth/u, /535/u, /‹secret›/u, /mail-login-rejected/u];
    const status = await get('/api/v1/status', (text) => shown.every((part) => part.test(text)));

    expect(status).toContain('‹secret›');
    await expect.poll(() => peers.http.bodies.length, { timeout: 60_000 }).toBeGreaterThan(2);
  });

  test.each(['/', '/metrics', '/api/v1/status', '/api/v1/incidents', '/api/v1/history', '/api/v1/silences'])(
    'does not get them onto %s',
    async (path) => {
      expect(leaksIn(await get(path))).toEqual([]);
    },
  );

  test.each(['smtp', 'http', 'tcp'])('does not get them into the explanation of a %s probe', async (module) => {
    const [host = '', port = ''] = module === 'smtp' ? ['127.0.0.1'] : ['127.0.0.1', ':443'];

    expect(leaksIn(await get(`/probe?target=${host}${port}&module=${module}&debug=true`))).toEqual([]);
  });

  test('does not get them into mails and what programs are sent', async () => {
    expect(inbox.mails.length).toBeGreaterThan(0);
    expect(inbox.mails.flatMap(({ raw }) => leaksIn(unfolded(raw)))).toEqual([]);
    expect(peers.http.bodies.flatMap(leaksIn)).toEqual([]);
  });

  test.each([
    ['check', []],
    ['config', ['check']],
    ['config', ['print']],
    ['notify', ['test']],
  ])('does not get them out of "%s %s"', async (command, args) => {
    const { stdout, stderr } = await runFtmWatch([command, ...args, '--config', 'ftm-watch.yaml'], {
      cwd: folder,
      env,
    });

    expect(`${stdout}${stderr}`).not.toBe('');
    expect(leaksIn(`${stdout}${stderr}`)).toEqual([]);
  });

  test('does not get them into the log, nor into what is kept', async () => {
    const refused = await fetch(`${url}/`, basicAuth('ops', SECRETS.wrongPassword));
    expect(refused.status).toBe(401);

    const { stderr } = await daemon.end('SIGTERM');

    expect(daemon.log.length).toBeGreaterThan(10);
    expect(daemon.log.flatMap((line) => leaksIn(JSON.stringify(line)))).toEqual([]);
    expect(leaksIn(stderr)).toEqual([]);
    const kept = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(kept.map(({ name }) => name)).toContain('ftm-watch.sqlite');
    for (const { parentPath, name } of kept) {
      const text = readFileSync(join(parentPath, name)).toString('latin1');
      expect({ name, leaks: leaksIn(text) }).toEqual({ name, leaks: [] });
      expect(text).not.toContain(hash);
      expect(statSync(join(parentPath, name)).mode & 0o077).toBe(0);
    }
  });
});

/** Removes the line breaks of quoted-printable, which can split a word. */
function unfolded(mail: string): string {
  return mail.replaceAll('=\r\n', '');
}
