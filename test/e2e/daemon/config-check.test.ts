import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Identity, createIdentity } from '../../../src/demo/lab/identity.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { type Run, runFtmWatch } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { listensIn, startProgram } from '../../support/process/start-program.ts';
import { createServiceMachine, type ServiceMachine } from './service-machine.ts';
import { until } from '../../support/time/until.ts';

const SITE = '/srv/site';
const STATE = '/var/lib/ftm-watch';
const CONFIG = '/etc/ftm-watch/ftm-watch.yaml';
const BASELINE = `${STATE}/trust-baseline.json`;
const NEVER = '0 0 0 29 2 *';
/** A TCP port that another program uses. */
const TAKEN = 9100;

const BASE = `
schedule: { probes: "${NEVER}" }
store: { path: ${STATE}/ftm-watch.sqlite }
trust: { baselineFile: ${BASELINE} }
`;

const webTls = (key: string, more = ''): string =>
  `web: { tls: { certFile: ${SITE}/own.pem, keyFile: ${SITE}/${key}${more} } }`;
const trust = (more: string): string => `trust: { baselineFile: ${BASELINE}, ${more} }`;
const syslogTls = (cert: string): string =>
  `logs: { syslog: { tls: { listen: "127.0.0.1:6514", certFile: ${SITE}/${cert}, keyFile: ${SITE}/own.key } } }`;

function storeOfVersion(version: number): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-newer-'));
  try {
    const path = join(folder, 'store.sqlite');
    const db = new DatabaseSync(path);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA user_version = ${String(version)}`);
    db.close();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The fault, the configuration, and what both the daemon and `config check` name. */
const WRONG: readonly (readonly [what: string, text: string, named: string])[] = [
  ['a key of another certificate', webTls('other.key'), `${SITE}/other.key`],
  ['a file that is no key', webTls('text'), `${SITE}/text`],
  ['an empty key', webTls('empty'), `${SITE}/empty`],
  ['a file that is no certificate', syslogTls('text'), `${SITE}/text`],
  ['client authorities without a certificate', webTls('own.key', `, clientCaFile: ${SITE}/text`), `${SITE}/text`],
  [
    'a revocation list that is none',
    webTls('own.key', `, clientCaFile: ${SITE}/own.pem, clientCrlFile: ${SITE}/text`),
    `${SITE}/text`,
  ],
  [
    'an authority of a channel without a certificate',
    `notify: { alertmanager: { urls: ["https://127.0.0.1:9"], caFile: ${SITE}/text } }`,
    `${SITE}/text`,
  ],
  ['a root certificate that is none', trust(`caFiles: [${SITE}/text]`), `${SITE}/text`],
  ['a broken signature file', `logs: { signatureFiles: [${SITE}/text] }`, `${SITE}/text`],
  ['a broken product file', trust(`productFiles: [${SITE}/text]`), `${SITE}/text`],
  ['a broken learned trust', `trust: { baselineFile: ${SITE}/text }`, `${SITE}/text`],
  ['a plain password in place of its hash', `web: { users: [{ name: ops, passwordHashFile: ${SITE}/text }] }`, 'ops'],
  ['an empty token', `web: { tokens: [{ name: scraper, tokenFile: ${SITE}/empty }] }`, `${SITE}/empty`],
  [
    'an empty key of an appliance',
    `appliances: [{ name: fac-1, api: { url: "https://127.0.0.1:9", user: w, keyFile: ${SITE}/empty } }]`,
    `${SITE}/empty`,
  ],
  ['a file that is missing', trust(`caFiles: [${SITE}/none]`), `${SITE}/none`],
  ['a variable that is not set', 'web: { tokens: [{ name: scraper, tokenEnv: NOT_SET }] }', 'NOT_SET'],
  ['a file that only the service may not read', trust(`caFiles: [${SITE}/root.pem]`), `${SITE}/root.pem`],
  ['a port of another program', `web: { listen: "127.0.0.1:${String(TAKEN)}" }`, String(TAKEN)],
  ['a log port of another program', `logs: { syslog: { tcp: "127.0.0.1:${String(TAKEN)}" } }`, String(TAKEN)],
  ['a port below 1024', 'logs: { syslog: { udp: "0.0.0.0:514" } }', '0.0.0.0:514'],
  ['an address of another machine', 'web: { listen: "192.0.2.1:9843" }', '192.0.2.1:9843'],
  ['a port in quotes', 'mail: [{ host: mail.example.org, port: "587" }]', '"587"'],
  ['a wrong indentation', 'site: hq\n  timezone: UTC', `${CONFIG}:7:3`],
  ['an included file that is missing', `include: [${SITE}/none.yaml]`, `${SITE}/none.yaml`],
];

describeWhere(
  ['root', 'network-namespaces', { program: 'setpriv' }],
  'config check on a machine of the package',
  () => {
    let machine: ServiceMachine;
    let own: Identity;
    let other: AsyncDisposable;

    beforeAll(async () => {
      machine = await createServiceMachine();
      own = await createIdentity({ name: 'CN=own', authority: true });
      const { keyPem } = await createIdentity({ name: 'CN=other' });
      machine.sandbox.sh('mount -t tmpfs none /srv');
      const files = { 'own.pem': own.pem, 'own.key': own.keyPem, 'other.key': keyPem, text: 'hello', empty: '' };
      for (const [name, content] of Object.entries(files)) machine.write(`${SITE}/${name}`, content);
      machine.write(`${SITE}/root.pem`, own.pem, 0o600);
      other = await startProgram(() => ({
        command: [process.execPath, '-e', `require('net').createServer().listen(${String(TAKEN)}, '127.0.0.1')`],
        readyWhen: listensIn(machine.sandbox, TAKEN),
        sandbox: machine.sandbox,
      }));
    });
    afterAll(async () => {
      await other[Symbol.asyncDispose]();
      await machine[Symbol.asyncDispose]();
    });

    /** Replaces the section of the base that has the same name as the first section of the text. */
    function configure(text: string): void {
      const [section = ''] = text.split(':');
      const base = BASE.split('\n').filter((line) => !line.startsWith(`${section}:`));
      machine.write(CONFIG, `${base.join('\n')}\n${text}\n`);
    }

    /** Returns options that run the program with the user and rights of the systemd unit. */
    function asService() {
      const rights = ['setpriv', '--reuid', 'ftm-watch', '--regid', 'ftm-watch', '--clear-groups', '--inh-caps=-all'];
      return { ...machine.on, prefix: [...(machine.on.prefix ?? []), ...rights] };
    }

    function stateFiles(): readonly string[] {
      const names = readdirSync(`/proc/${String(machine.sandbox.pid)}/root${STATE}`);
      // The daemon writes to a temporary file and renames it.
      return names.map((name) => name.replace(/\.[\da-f]+\.tmp$/u, '')).toSorted();
    }

    function configCheck(...args: readonly string[]): Promise<Run> {
      return runFtmWatch(['config', 'check', ...args], machine.on);
    }

    test.each(WRONG)('refuses %s in the words that the daemon dies with', async (_, text, named) => {
      configure(text);
      machine.sandbox.sh(`rm --recursive --force ${STATE}/*`);

      const checked = await configCheck();
      expect(stateFiles()).toEqual([]);
      const died = await runFtmWatch(['run', '-c', CONFIG], asService());

      expect(died).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(named) });
      expect(checked).toMatchObject({ exitCode: 3, stdout: '' });
      const lastWords = died.stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('The configuration is not'));
      for (const words of lastWords) {
        const line = checked.stderr.split('\n').find((one) => one.endsWith(words));
        expect(line).toMatch(words.includes(`"${SITE}/`) ? new RegExp(`^${CONFIG}:\\d+:\\d+  `, 'u') : /./u);
      }
    });

    test('lists problems of this machine apart from those of the file, and leaves them out for a pipeline', async () => {
      const trust = `trust: { baselineFile: ${BASELINE}, caFiles: [${SITE}/none] }`;
      const missing = `${CONFIG}:5:74  trust.caFiles[0]: cannot read file "${SITE}/none": no such file\n`;
      configure(trust);

      expect(await configCheck()).toMatchObject({
        exitCode: 3,
        stderr:
          `${missing}The file is valid, but the daemon cannot start with it on this machine: 1 problem (checked as ` +
          `the service's user, "ftm-watch")\n`,
      });
      expect(await configCheck('--file-only')).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining(`${CONFIG}: the configuration is valid\n`),
        stderr: '',
      });
      configure(`${trust}\nsites: hq`);
      const unknown =
        `${CONFIG}:6:1  unknown key "sites"; did you mean "site"?\n` + 'The configuration is not valid: 1 problem\n';
      expect(await configCheck()).toMatchObject({
        exitCode: 3,
        stderr: `${unknown}${missing}There is also 1 problem on this machine (checked as the service's user, "ftm-watch")\n`,
      });
      expect(await configCheck('--file-only')).toMatchObject({ exitCode: 3, stderr: unknown });
    });

    test('takes the ports of the daemon that runs for free, and no others', async () => {
      const logs = 'logs: { syslog: { udp: "127.0.0.1:5514", tcp: "127.0.0.1:5514" } }';
      configure(logs);
      await using daemon = startDaemonProcess({ ...asService(), args: ['-c', CONFIG] });
      await daemon.page();
      const before = await until(
        () => Promise.resolve(stateFiles()),
        (names) => names.includes('ftm-watch.sqlite-wal') && names.includes('polling.json'),
        10_000,
      );

      expect(await configCheck()).toMatchObject({ exitCode: 0, stderr: '' });
      expect(stateFiles()).toEqual(before);
      configure(`store: { path: ${STATE}/other.sqlite }\n${logs}`);
      expect(await configCheck()).toMatchObject({ exitCode: 0, stderr: '' });
      configure(`${logs}\nweb: { listen: "127.0.0.1:${String(TAKEN)}" }`);
      expect(await configCheck()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining(`"127.0.0.1:${String(TAKEN)}": the port is in use by another program`),
      });
      const credentials = '/run/credentials/ftm-watch.service';
      machine.write('/etc/ftm-watch/secrets/new', 'a-token', 0o600);
      configure(`web: { tokens: [{ name: new, tokenFile: ${credentials}/secrets_new }] }`);
      expect(await configCheck()).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('a reload would be rejected. Run: systemctl restart ftm-watch'),
        stderr: `These files were read from "/etc/ftm-watch/secrets": new. systemd copies them to "${credentials}" only when the service starts\n`,
      });
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
    });

    test('creates nothing, and refuses a store that the daemon could not use', async () => {
      configure('site: hq');
      const store = `${STATE}/ftm-watch.sqlite`;
      machine.sandbox.sh(`rm --recursive --force ${STATE}/*`);
      expect(await configCheck()).toMatchObject({ exitCode: 0, stderr: '' });
      expect(stateFiles()).toEqual([]);

      const refused = async (reason: string): Promise<void> => {
        const files = stateFiles();
        expect(await configCheck()).toMatchObject({
          exitCode: 3,
          stderr: expect.stringMatching(new RegExp(`Cannot use the history file "${store}": .*${reason}`, 'u')),
        });
        expect(stateFiles()).toEqual(files);
      };
      machine.sandbox.sh(`chown root ${STATE} && chmod 0755 ${STATE}`);
      await refused('permission denied');
      machine.sandbox.sh(`chown ftm-watch ${STATE}`);
      machine.write(store, 'no database, which has a header of a hundred bytes'.repeat(3), 0o666);
      await refused('file is not a database');
      machine.write(store, storeOfVersion(999), 0o666);
      await refused('The history has version 999');
      machine.sandbox.sh(`chown root ${store} && chmod 0600 ${store}`);
      await refused('permission denied');
      machine.sandbox.sh(`rm --force ${STATE}/*`);
    });

    test('warns about an address whose last group may be a port', async () => {
      configure('resolvers: ["2001:db8::54:53", "[2001:db8::54:53]:53", "2001:db8::53", "2001:db8::54:853"]');
      const { stdout } = await configCheck('--file-only');
      expect(stdout.match(/resolvers\[\d\]: .*/gu)).toEqual([expect.stringContaining('"[2001:db8::54]:53"')]);
    });

    test('names a folder of the store that cannot be created', async () => {
      configure('store: { path: /etc/none/store.sqlite }');
      expect(await configCheck()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining(
          'Cannot use the history file "/etc/none/store.sqlite": the folder "/etc/none" does not exist and cannot be ' +
            'created in "/etc"',
        ),
      });
    });

    test('warns about own certificates that expire soon, and says how the service can read a key', async () => {
      const [past, soon] = await Promise.all(
        [-1, 5].map((days) => createIdentity({ name: 'CN=own', notAfter: new Date(Date.now() + days * 86_400_000) })),
      );
      for (const [name, identity] of Object.entries({ past, soon })) {
        machine.write(`${SITE}/${name}.pem`, identity?.pem ?? '');
        machine.write(`${SITE}/${name}.key`, identity?.keyPem ?? '', 0o600);
      }
      const files = (name: string): string => `certFile: ${SITE}/${name}.pem, keyFile: ${SITE}/${name}.key`;
      configure(
        `web: { tls: { ${files('past')} } }\n` +
          `logs: { syslog: { tls: { listen: "127.0.0.1:6514", ${files('soon')} } } }`,
      );
      const denied = await configCheck();
      expect(denied.exitCode).toBe(3);
      for (const name of ['past', 'soon'])
        expect(denied.stderr).toContain(`run: chgrp ftm-watch "${SITE}/${name}.key" && chmod 0640`);

      machine.sandbox.sh(`chgrp ftm-watch ${SITE}/*.key && chmod 0640 ${SITE}/past.key ${SITE}/soon.key`);
      const { exitCode, stdout } = await configCheck();
      expect(exitCode).toBe(0);
      expect(stdout).toContain("Warning: The status page's certificate expired at");
      expect(stdout).toContain("Warning: The syslog listener's certificate expires at");
    });

    test('reads a draft as root, and the file of the service as the service does', async () => {
      machine.write('/srv/draft.yaml', BASE, 0o600);
      expect(await configCheck('-c', '/srv/draft.yaml')).toMatchObject({ exitCode: 0, stderr: '' });

      configure('site: hq');
      machine.sandbox.sh(`chmod 0600 ${CONFIG}`);
      const died = await runFtmWatch(['run', '-c', CONFIG], asService());
      expect(died.stderr).toBe(
        `${CONFIG}  cannot read the configuration: permission denied\nThe configuration is not valid: 1 problem\n`,
      );
      expect(await configCheck()).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining(`${CONFIG}  cannot read the configuration: permission denied\n`),
      });
      machine.sandbox.sh(`chmod 0644 ${CONFIG}`);
    });

    test('is what init advises, with a restart of the service', async () => {
      machine.sandbox.sh(`rm ${CONFIG}`);
      machine.write('/etc/systemd/system/ftm-watch.service', '[Service]\n');

      expect((await runFtmWatch(['init', '--site', 'hq'], machine.on)).stdout).toMatch(
        /\n {2}ftm-watch config check .*\n {2}ftm-watch check .*\n {2}systemctl restart ftm-watch /u,
      );
      expect(await configCheck()).toMatchObject({ exitCode: 0, stderr: '' });
      const { mode, gid } = statSync(`/proc/${String(machine.sandbox.pid)}/root${CONFIG}`);
      expect({ mode: mode & 0o777, gid }).toEqual({ mode: 0o640, gid: 64_123 });
    });
  },
);
