import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { type SmtpReply, createMailServer, type MailServer } from '../../support/mail/mail-server.ts';
import { emailBy } from '../../support/mail/mail-server.ts';
import { freePort } from '../../support/network/free-port.ts';
import { askSocket } from '../../support/process/control-socket.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 30_000;
const DAY = 86_400_000;
const CONFIG = 'ftm-watch.yaml';
const OPERATOR = 'ops@example.test';
const ON_CALL = 'oncall@example.test';
/** An address that no machine has (TEST-NET-3, RFC 5737). */
const NOT_HERE = '203.0.113.7:1';
const RELAY_DENIED: SmtpReply = { code: 550, text: 'no relay' };

describeWhere(['root'], "ftm-watch's own trouble", () => {
  let site: DaemonBench;
  let daemon: DaemonProcess;
  let inbox: MailServer;
  let port: number;
  let sender: Identity;
  /** Recipients that the mail server refuses. */
  const refused = new Set<string>();

  const at = (name: string): string => join(site.folder, name);
  const store = (): string => at('store');

  async function certificate(owner: string, days: number): Promise<void> {
    const notAfter = new Date(Date.now() + days * DAY);
    const identity = await createIdentity({ name: `CN=${owner}`, ipAddresses: ['127.0.0.1'], notAfter });
    writeFileSync(at(`${owner}.key`), identity.keyPem);
    writeFileSync(at(`${owner}.pem`), identity.pem);
  }

  beforeAll(async () => {
    site = await createDaemonBench();
    inbox = await createMailServer({ recipient: (address) => (refused.has(address) ? RELAY_DENIED : null) });
    port = await freePort();
    await certificate('page', 90);
    await certificate('listener', 90);
    sender = await createIdentity({ name: 'CN=fac-1', authority: true });
    writeFileSync(at('senders.pem'), sender.pem);
    mkdirSync(store());
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', store()]);
    await site.configure({
      schedule: { probes: '* * * * * *' },
      store: { path: 'store/ftm-watch.sqlite' },
      web: { listen: '127.0.0.1:0', tls: { certFile: 'page.pem', keyFile: 'page.key' } },
      appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
      logs: {
        syslog: {
          tls: {
            listen: `127.0.0.1:${String(port)}`,
            certFile: 'listener.pem',
            keyFile: 'listener.key',
            clientCaFile: 'senders.pem',
          },
        },
      },
      notify: {
        email: emailBy(inbox, OPERATOR, ON_CALL),
      },
    });
    daemon = site.startProcess();
    await daemon.page();
    await until(
      () => page('/-/ready'),
      ({ status }) => status === 200,
      WITHIN,
    );
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await until(
      () => Promise.resolve(spawnSync('umount', [store()]).status),
      (status) => status === 0,
      WITHIN,
    );
    await inbox[Symbol.asyncDispose]();
    await site[Symbol.asyncDispose]();
  });

  const page = (path: string) => askSocket(join(store(), 'ftm-watch.sqlite.sock'), { method: 'GET', path });

  async function sends(options: ConnectionOptions): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('error', () => undefined);
    socket.on('secureConnect', () => socket.end('<14>a line\n'));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
  }

  /** Moves the status page. "check" does not use this setting. */
  function reload(from: string, to: string): void {
    const text = readFileSync(at(CONFIG), 'utf8');
    writeFileSync(at(CONFIG), text.replace(from, to));
    daemon.signal('SIGHUP');
  }

  /** The number of mails to one recipient with this event about this cause. */
  function told(cause: string, subject: string, event: string): number {
    return inbox.mails.filter(
      ({ headers, raw, recipients }) =>
        recipients.includes(OPERATOR) &&
        headers.get('x-ftm-watch-cause')?.split(', ').includes(cause) === true &&
        headers.get('x-ftm-watch-event') === event &&
        raw.replaceAll(/=\r\n/gu, '').includes(subject),
    ).length;
  }

  /** Returns whether the metrics have an open incident whose subject ends with this text. */
  function isOpenIn(metrics: string, cause: string, subject: string): boolean {
    const series = `^ftm_incident_open\\{cause="${cause}",severity="warning",subject="[^"]*${subject}"\\} 1$`;
    return new RegExp(series, 'mu').test(metrics);
  }

  const check = (...args: readonly string[]) => runFtmWatch(['check', ...args, '-c', CONFIG], { cwd: site.folder });

  const TROUBLES = [
    {
      cause: 'store-not-writable',
      subject: 'store of HOST',
      begins: () => {
        spawnSync('dd', ['if=/dev/zero', `of=${join(store(), 'fill')}`, 'bs=4k']);
        spawnSync('sh', ['-c', `cat /dev/zero >> '${join(store(), 'fill')}'`]);
      },
      ends: () => rmSync(join(store(), 'fill')),
    },
    {
      cause: 'own-certificate-expires',
      subject: 'status page on HOST',
      begins: () => certificate('page', 13),
      ends: () => certificate('page', 90),
    },
    {
      cause: 'own-certificate-expires',
      subject: 'syslog listener on HOST',
      begins: () => certificate('listener', -0.5),
      ends: () => certificate('listener', 90),
    },
    {
      cause: 'log-sender-refused',
      subject: 'log from 127.0.0.1 to HOST',
      begins: () => sends({}),
      ends: () => sends({ cert: sender.pem, key: sender.keyPem }),
    },
    {
      cause: 'reload-rejected',
      subject: 'configuration of HOST',
      begins: () => reload('127.0.0.1:0', NOT_HERE),
      ends: () => reload(NOT_HERE, '127.0.0.1:0'),
    },
    {
      cause: 'notifications-stuck',
      subject: 'notifications by email from HOST',
      // The message about the rejected configuration has just been refused.
      begins: () => undefined,
      ends: () => refused.clear(),
    },
  ].map(({ begins, ends, ...trouble }) => ({
    ...trouble,
    begins: async () => begins(),
    ends: async () => ends(),
    subject: trouble.subject.replace('HOST', hostname()),
  }));

  test('is reported once by page, mail, both forms of "check" and metrics, until it is repaired', async () => {
    for (const { cause, subject, begins } of TROUBLES) {
      if (cause === 'reload-rejected') refused.add(ON_CALL);
      await begins();
      await expect.poll(() => told(cause, subject, 'firing')).toBe(1);
    }
    const [status, ready, metrics] = [await page('/'), await page('/-/ready'), await page('/metrics')];
    const [json, plugin] = [await check('--json'), await check('--nagios')];
    expect({ json: json.exitCode, nagios: plugin.exitCode, stderr: json.stderr }).toEqual({
      json: 1,
      nagios: 1,
      stderr: '',
    });
    const { ready: readiness, preconditions, causes } = JSON.parse(json.stdout) as DiagnosisJson;
    expect({ readiness, last: preconditions.at(-1) }).toMatchObject({
      readiness: 'ready',
      last: { id: 'agent', state: 'warning' },
    });
    expect(ready.status).toBe(200);
    expect(ready.text.split('\n- ')).toHaveLength(1 + TROUBLES.length);
    expect(ready.text).not.toContain(hostname());
    const [, own = ''] = /<section id="own" class="own"(.*)<section id="route"/su.exec(status.text) ?? [];
    for (const { cause, subject } of TROUBLES) {
      expect(own).toMatch(new RegExp(`<code class="tag">${cause}</code>[^\n]*${subject}`, 'u'));
      expect(causes).toContainEqual(
        expect.objectContaining({ id: cause, subject: expect.stringContaining(subject), severity: 'warning' }),
      );
      expect(isOpenIn(metrics.text, cause, subject)).toBe(true);
    }

    for (const { ends } of TROUBLES) await ends();
    for (const { cause, subject } of TROUBLES)
      await expect.poll(() => told(cause, subject, 'resolved') + told(cause, subject, 'digest')).toBe(1);
    const after = await page('/metrics');
    for (const { cause, subject } of TROUBLES) {
      expect(isOpenIn(after.text, cause, subject)).toBe(false);
      expect(told(cause, subject, 'firing')).toBe(1);
    }
  });

  test('the journal has the address of a refused sender, and no stack', async () => {
    const line = await daemon.logged('syslog-handshake-failed');
    expect(line).toMatchObject({ address: '127.0.0.1', error: expect.any(String) });
    expect(JSON.stringify(line)).not.toMatch(/stack|openssl/iu);
  });

  test('a daemon that was killed is told by both forms of "check", until it is started again', async () => {
    expect((await check('--nagios')).exitCode).toBe(0);
    await daemon.end('SIGKILL');
    const [json, plugin] = [await check('--json'), await check('--nagios')];
    expect({ check: json.exitCode, nagios: plugin.exitCode }).toEqual({ check: 1, nagios: 3 });
    const { preconditions } = JSON.parse(json.stdout) as DiagnosisJson;
    expect(preconditions.at(-1)).toMatchObject({ id: 'agent', state: 'warning' });
    daemon = site.startProcess();
    await expect.poll(() => check('--nagios')).toMatchObject({ exitCode: 0 });
    await until(
      () => Promise.resolve(inbox.mails),
      (mails) => mails.some(({ headers }) => headers.get('x-ftm-watch-event') === 'restart'),
      WITHIN,
    );
  });
});
