import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, writeFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReportData } from '../../../src/report/report-data.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { runHere } from '../../support/process/command-line.ts';
import { type Run, runFtmWatch } from '../../support/process/ftm-watch.ts';
import { jsonReceiver, type JsonReceiver } from '../../support/notify/json-receiver.ts';
import { until } from '../../support/time/until.ts';
import { unzip, type Unzipped } from '../../support/process/unzipped.ts';
import { watchLab } from '../../support/network/lab-check.ts';
import { configurationOf, type ConfigurationPart } from '../../../src/demo/lab/configuration.ts';
import type { Lab } from '../../../src/demo/lab/lab.ts';

/** Contained in every secret and every person's name. */
const CANARY = 'xyzzy7Canary';

/** Replaces every configurable secret, and those in the lab, with the canary. */
async function hideCanaries(lab: Lab): Promise<void> {
  lab.appliance.state.key = `${CANARY}-key`;
  lab.registration.state.password = `${CANARY}-registration`;
  lab.firewallApi.state.token = `${CANARY}-firewall`;
  const names = [
    'fac-key',
    'registration-password',
    'firewall-token',
    'mail-password',
    'relay-password',
    'hook-token',
    'page-hash',
    'community',
  ];
  const known = [lab.appliance.state.key, lab.registration.state.password, lab.firewallApi.state.token];
  for (const [index, name] of names.entries())
    await writeFile(join(lab.folder, name), known[index] ?? `${CANARY}-${name}`);
  await writeFile(join(lab.folder, 'otlp-headers'), `Authorization: Bearer ${CANARY}-otlp`);
  await writeFile(join(lab.folder, 'hook-headers'), `X-Key: ${CANARY}-headers`);
}

/** Writes the lab's configuration to a file of that name, adding all missing secrets and replacing some keys. */
async function configureCanaries(
  lab: Lab,
  hooks: Pick<JsonReceiver, 'url'>,
  name: string,
  more: ConfigurationPart = {},
): Promise<void> {
  const base = configurationOf(lab) as { readonly notify: { readonly email: object } };
  const notify = {
    ...base.notify,
    email: {
      from: `${CANARY}@example.org`,
      to: [`${CANARY}-admins@example.org`],
      servers: [{ host: '127.0.0.1', port: lab.inbox.port, security: 'none' }],
    },
    webhooks: [
      { url: `${hooks.url}/${CANARY}-path?key=${CANARY}`, tokenFile: 'hook-token', headersFile: 'hook-headers' },
    ],
    heartbeat: { url: `http://127.0.0.1:1/${CANARY}/ping`, every: '1h' },
  };
  const metrics = { otlp: { url: 'http://127.0.0.1:1/v1/metrics', headersFile: 'otlp-headers' } };
  await writeFile(join(lab.folder, name), JSON.stringify({ ...base, notify, metrics, ...more }));
}

/** Returns the files that contain a canary, in clear or as encoded in a header. */
function canariesIn(of: Unzipped): readonly string[] {
  const forms = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 14)];
  return of.names.filter((name) => forms.some((form) => of.text(name).includes(form)));
}

const LIMIT_MS = 15_000;
const SCRIPT = '<script>alert(1)</script>';
const LINE =
  '<12>Aug 14 22:40:02 fac db[16987]: category="Event" subcategory="Admin Configuration" typeid=0 ' +
  `level="warning" user="${CANARY}" nas="${SCRIPT}" action="" status="" FTM polling error: connection timeout: ` +
  'server connection failed: SSL session failed';

let daemon: DaemonProcess;
let hooks: JsonReceiver;
let archive: Unzipped;
let run: Run;

const lab = await createLab();

beforeAll(async () => {
  hooks = await jsonReceiver(() => 404);
  await hideCanaries(lab);
  await configureCanaries(lab, hooks, 'ftm-watch.yaml');
  daemon = await watchLab(lab);
  await goThroughAnOutage();
  const cwd = join(lab.folder, 'here');
  await mkdir(cwd);
  run = await runHere(['report', '-c', lab.configFile], { cwd });
  const [name = ''] = await readdir(cwd);
  archive = await unzip(join(cwd, name));
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await hooks[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

/** A firewall with a hostile name inspects, FortiAuthenticator logs errors, and notifications are sent. */
async function goThroughAnOutage(): Promise<void> {
  const authority = await createIdentity({ name: `C=US, O=Fortinet, CN=${SCRIPT}`, authority: true });
  await lab.firewall.setMode({ kind: 'inspect', authority });
  await sendLines(await daemon.syslogPort(), [LINE, LINE]);
  await until(
    () => daemon.openIncidents(),
    (open) => open.some(({ notifications, cause }) => cause === 'tls-intercepted' && notifications > 0),
    LIMIT_MS,
  );
  await daemon.logged('notification-delivered');
  // Log lines are saved within three seconds.
  await until(
    () => readFile(join(lab.folder, 'data', 'polling.json'), 'utf8').catch(() => ''),
    (text) => text.includes('"heard":2'),
    LIMIT_MS,
  );
}

function report(...args: readonly string[]): Promise<Run> {
  return runHere(['report', '-c', 'ftm-watch.yaml', ...args], { cwd: lab.folder });
}

function dataOf(of: Unzipped): ReportData {
  return JSON.parse(of.text('report.json')) as ReportData;
}

/** Writes a report with a different configuration. */
async function reportUnder(name: string, more: Readonly<Record<string, unknown>>): Promise<Unzipped> {
  await configureCanaries(lab, hooks, `${name}.yaml`, more);
  const done = await report('-c', `${name}.yaml`, '-o', `${name}.zip`);
  expect(done).toMatchObject({ exitCode: 0, stderr: '' });
  return unzip(join(lab.folder, `${name}.zip`));
}

describe('a report', () => {
  test('is one archive where one is, named after site and time, for its owner only', () => {
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(archive.folder).toMatch(/^ftm-watch-report-lab-\d{8}T\d{6}Z$/u);
    const path = join(lab.folder, 'here', `${archive.folder}.zip`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(run.stdout).toContain(`Wrote ${path} (`);
    for (const name of archive.names) expect(run.stdout).toContain(name);
    expect(archive.names.filter((name) => !name.startsWith('certificates/'))).toEqual([
      'add-by-hand/README.txt',
      'checklist.txt',
      'log-excerpts.txt',
      'report.html',
      'report.json',
    ]);
  });

  test('says what is broken, with the chain, and what people were told when', () => {
    const { check, timeline, versions, chains } = dataOf(archive);
    expect(check).toMatchObject({
      ready: 'not-ready',
      site: 'lab',
      causes: expect.arrayContaining([expect.objectContaining({ id: 'tls-intercepted' })]),
    });
    expect(versions.node).toBe(process.versions.node);
    const incident = timeline.incidents.find(({ cause }) => cause === 'tls-intercepted');
    const events = timeline.events.filter((event) => event.incident === incident?.id);
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['seen', 'opened', 'notification']));
    expect(events.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^Alarm: sent by email to <user>@example\.org at /u),
    );
    expect(chains[0]?.judgement?.verdict).toBe('intercepted');
    expect(chains[0]?.certificates[1]?.subject ?? chains[0]?.certificates[0]?.issuer).toContain(SCRIPT);
    expect(archive.text('checklist.txt')).toContain('✘ Genuine TLS');
  });

  test('holds every chain as it was sent', () => {
    const { chains } = dataOf(archive);
    expect(chains.length).toBeGreaterThanOrEqual(3);
    for (const { file, certificates } of chains) {
      const pem = archive.text(`certificates/${file}`).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/gu) ?? [];
      expect(pem.map((one) => new X509Certificate(one).fingerprint256)).toEqual(
        certificates.map(({ sha256 }) => sha256),
      );
    }
    expect(archive.names.filter((name) => name.startsWith('certificates/history-')).length).toBeGreaterThan(0);
  });

  test('holds log lines without names', () => {
    const { logExcerpts, masked } = dataOf(archive);
    expect(logExcerpts).toMatchObject({ note: null, dropped: 0 });
    expect(logExcerpts.lines.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(archive.text('log-excerpts.txt')).toContain('fac-1 ftm-polling');
    expect(archive.text('log-excerpts.txt')).toContain('user=<user>');
    expect(masked['user-name']).toBeGreaterThan(0);
  });

  test('shows hostile text as text, and fetches and runs nothing', () => {
    const page = archive.text('report.html');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|\shref="[^#]|url\(|@import/iu);
    expect(page).toContain(`default-src 'none'`);
  });

  test('has no canary in any of its bytes', () => {
    expect(archive.names.length).toBeGreaterThan(4);
    expect(canariesIn(archive)).toEqual([]);
  });
});

// Each of these tests mostly waits for a round.
describe.concurrent('a further report', () => {
  test('has no canary either when all is configured, and says what the web hook answered', async () => {
    const all = await reportUnder('all', {
      licenseServer: {
        host: 'fortitokenmobile.fortinet.com',
        port: 1,
        proxy: { url: 'http://127.0.0.1:1', user: CANARY, passwordFile: 'relay-password' },
      },
      appliances: [
        {
          name: 'fac-1',
          api: {
            url: lab.appliance.url,
            user: lab.appliance.state.user,
            keyFile: 'mail-password',
            pin: lab.appliance.identity.pin,
          },
          snmp: { host: '127.0.0.1', port: 1, communityFile: 'community' },
        },
      ],
      web: { listen: '127.0.0.1:0', users: [{ name: CANARY, passwordHashFile: 'page-hash' }] },
    });
    expect(canariesIn(all)).toEqual([]);
    expect(all.text('report.json')).toContain(` by webhook to ${hooks.url}/…, `);
    expect(JSON.stringify(dataOf(all).configuration)).toContain(`${hooks.url}/…`);
  });

  test('has no canary either when servers quote recipients and users', async () => {
    await using mail = await createMailHost();
    mail.setFault('refuse-recipient');
    const quoted = await reportUnder('quoted', {
      mail: [
        {
          host: '127.0.0.1',
          port: mail.port,
          security: 'none',
          from: 'fac@example.org',
          to: `${CANARY}.doe@example.org`,
        },
      ],
      registration: {
        user: `${CANARY}-API-USER`,
        passwordFile: 'mail-password',
        url: lab.registration.url,
        authUrl: lab.registration.url,
        caFile: 'registration-ca.pem',
      },
      store: { path: 'quoted/ftm-watch.sqlite' },
    });
    expect(canariesIn(quoted)).toEqual([]);
    const { check, round, masked } = dataOf(quoted);
    for (const said of [
      JSON.stringify(check),
      JSON.stringify(round),
      quoted.text('checklist.txt'),
      quoted.text('report.html'),
    ])
      expect(said).toMatch(/550 5\.1\.1 (?:<|&lt;){2}user(?:>|&gt;)@example\.org/u);
    expect(JSON.stringify(check)).toContain('The registration service refused the API user');
    expect(masked['mail-address']).toBeGreaterThan(2);
  });

  test('says that history and log lines are damaged', async () => {
    await mkdir(join(lab.folder, 'damaged'));
    await writeFile(join(lab.folder, 'damaged', 'ftm-watch.sqlite'), 'no database'.repeat(1_000));
    await writeFile(join(lab.folder, 'damaged', 'polling.json'), '{"version":');
    const { timeline, logExcerpts, check } = dataOf(
      await reportUnder('damaged', { store: { path: 'damaged/ftm-watch.sqlite' } }),
    );
    expect(timeline.note).toBe('The history cannot be read: file is not a database');
    expect(logExcerpts.note).toMatch(/^The stored log lines cannot be read: .*damaged$/u);
    expect(check.causes.length).toBeGreaterThan(0);
  });

  test('never overwrites a file unless told to', async () => {
    const path = join(lab.folder, 'mine.zip');
    await writeFile(path, 'mine');
    const refused = await report('-o', 'mine.zip');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toBe(`Cannot write to "${path}": the file already exists; use "--force" to overwrite it\n`);
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(await report('-o', 'mine.zip', '--force')).toMatchObject({ exitCode: 0 });
    expect((await unzip(path)).names).toContain('report.html');
    expect((await readdir(lab.folder)).filter((name) => name.startsWith('mine.') && name.endsWith('.tmp'))).toEqual([]);
  });

  test('goes to standard output on demand, and what is inside to standard error', async () => {
    const prefix = ['sh', '-c', 'exec "$0" "$@" > piped.zip'];
    const done = await runFtmWatch(['report', '-c', 'ftm-watch.yaml', '-o', '-'], { cwd: lab.folder, prefix });
    expect(done).toMatchObject({ exitCode: 0, stdout: '' });
    expect(done.stderr).toContain('Wrote standard output (');
    expect((await unzip(join(lab.folder, 'piped.zip'))).names).toContain('report.json');
  });
});
