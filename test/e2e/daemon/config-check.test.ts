import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type Identity, createIdentity } from '../../support/authority.ts';
import { startDaemonProcess } from '../../support/daemon-process.ts';
import { type Run, runFtmWatch } from '../../support/ftm-watch.ts';
import { describeWhere } from '../../support/privilege.ts';
import { startDaemon } from '../../support/sandbox-daemon.ts';
import { createServiceMachine, type ServiceMachine } from '../../support/service-machine.ts';

const SITE = '/srv/site';
const STATE = '/var/lib/ftm-watch';
const CONFIG = '/etc/ftm-watch/ftm-watch.yaml';
const NEVER = '0 0 0 29 2 *';
/** Another program listens there, over TCP. */
const TAKEN = 9100;

const BASE = `
schedule: { probes: "${NEVER}" }
store: { path: ${STATE}/ftm-watch.sqlite }
trust: { baselineFile: ${STATE}/trust-baseline.json }
`;

const webTls = (key: string, more = ''): string =>
  `web: { tls: { certFile: ${SITE}/own.pem, keyFile: ${SITE}/${key}${more} } }`;
const syslogTls = (cert: string): string =>
  `logs: { syslog: { tls: { listen: "127.0.0.1:6514", certFile: ${SITE}/${cert}, keyFile: ${SITE}/own.key } } }`;

/** What is wrong, the configuration, and what both the daemon and `config check` say. */
const WRONG: readonly (readonly [what: string, text: string, message: string])[] = [
  ['a key of another certificate', webTls('other.key'), 'it belongs to another certificate than the one in'],
  ['a file that is no key', webTls('text'), `Cannot use the key of the status page in "${SITE}/text"`],
  ['an empty key', webTls('empty'), `Cannot use the key of the status page in "${SITE}/empty"`],
  ['a file that is no certificate', syslogTls('text'), `Cannot use the certificate of the syslog listener in "${SITE}/`],
  [
    'client authorities without a certificate',
    webTls('own.key', `, clientCaFile: ${SITE}/text`),
    `Cannot use the certificates in "${SITE}/text": expected PEM`,
  ],
  [
    'a revocation list that is none',
    webTls('own.key', `, clientCaFile: ${SITE}/own.pem, clientCrlFile: ${SITE}/text`),
    `Cannot use the revocation lists of the status page in "${SITE}/text"`,
  ],
  [
    'an authority of a channel without a certificate',
    `notify: { alertmanager: { urls: ["https://127.0.0.1:9"], caFile: ${SITE}/text } }`,
    `Cannot use the certificates in "${SITE}/text": expected PEM`,
  ],
  ['a root certificate that is none', `trust: { caFiles: [${SITE}/text] }`, `Cannot read certificates from "${SITE}/text`],
  ['a broken signature file', `logs: { signatureFiles: [${SITE}/text] }`, `Cannot use the signatures of "${SITE}/text"`],
  ['a broken product file', `trust: { productFiles: [${SITE}/text] }`, `Cannot use the products of "${SITE}/text"`],
  ['a broken learned trust', `trust: { baselineFile: ${SITE}/text }`, `Cannot parse the learned trust of "${SITE}/text"`],
  [
    'a plain password in place of its hash',
    `web: { users: [{ name: ops, passwordHashFile: ${SITE}/text }] }`,
    'Cannot check the password of web user "ops"',
  ],
  [
    'an empty token',
    `web: { tokens: [{ name: scraper, tokenFile: ${SITE}/empty }] }`,
    `Cannot use the token "scraper": Cannot read the secret: file "${SITE}/empty" is empty`,
  ],
  [
    'an empty key of an appliance',
    `appliances: [{ name: fac-1, api: { url: "https://127.0.0.1:9", user: w, keyFile: ${SITE}/empty } }]`,
    `Cannot read the secret: file "${SITE}/empty" is empty`,
  ],
  ['a file that is missing', `trust: { caFiles: [${SITE}/none] }`, `cannot read file "${SITE}/none": no such file`],
  [
    'a variable that is not set',
    'web: { tokens: [{ name: scraper, tokenEnv: NOT_SET }] }',
    'environment variable "NOT_SET" is not set',
  ],
  ['a file of the service that it may not read', `trust: { caFiles: [${SITE}/root.pem] }`, 'permission denied'],
  ['a port of another program', `web: { listen: "127.0.0.1:${String(TAKEN)}" }`, 'another program listens there'],
  ['a log port of another program', `logs: { syslog: { tcp: "127.0.0.1:${String(TAKEN)}" } }`, 'something else listens'],
  ['a port below 1024', 'logs: { syslog: { udp: "0.0.0.0:514" } }', 'Cannot listen for syslog over UDP on "0.0.0.0:514"'],
  ['an address of another machine', 'web: { listen: "192.0.2.1:9843" }', 'this machine does not have that address'],
  ['a port in quotes', 'mail: [{ host: mail.example.org, port: "587" }]', 'got "587": write it without quotes'],
  ['a wrong indentation', 'site: hq\n  timezone: UTC', `${CONFIG}:6:3  not valid YAML`],
  ['an included file that is missing', `include: [${SITE}/none.yaml]`, `cannot read "${SITE}/none.yaml": no such file`],
];

describeWhere(['root', 'network-namespaces', { program: 'setpriv' }], 'config check on a machine of the package', () => {
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
    other = await startDaemon(machine.sandbox, {
      program: process.execPath,
      args: ['-e', `require('net').createServer().listen(${String(TAKEN)}, '127.0.0.1')`],
      port: TAKEN,
    });
  });
  afterAll(async () => {
    await other[Symbol.asyncDispose]();
    await machine[Symbol.asyncDispose]();
  });

  function configure(text: string): void {
    const [section = ''] = text.split(':');
    // The section replaces that of the base, but for the learned trust, which is where it is.
    const base = BASE.split('\n').filter((line) => !line.startsWith(`${section}:`));
    machine.write(CONFIG, `${base.join('\n')}\n${text}\n`);
  }

  /** As the unit starts it. */
  function asService(args: readonly string[]): Promise<Run> {
    const rights = ['setpriv', '--reuid', 'ftm-watch', '--regid', 'ftm-watch', '--clear-groups', '--inh-caps=-all'];
    return runFtmWatch(args, { ...machine.on, prefix: [...(machine.on.prefix ?? []), ...rights] });
  }

  function configCheck(...args: readonly string[]): Promise<Run> {
    return runFtmWatch(['config', 'check', ...args], machine.on);
  }

  test.each(WRONG)('refuses %s in the words that the daemon dies with', async (_, text, message) => {
    configure(text);
    const before = readdirSync(`/proc/${String(machine.sandbox.pid)}/root${STATE}`);

    const checked = await configCheck();
    expect(readdirSync(`/proc/${String(machine.sandbox.pid)}/root${STATE}`)).toEqual(before);
    const died = await asService(['run', '-c', CONFIG]);

    expect(died).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(message) });
    expect(checked).toMatchObject({ exitCode: 3, stdout: '' });
    const said = checked.stderr.split('\n');
    for (const line of died.stderr.trimEnd().split('\n'))
      if (!line.startsWith('The configuration is not valid')) expect(said).toContain(line.replace(/^ftm-watch: /u, ''));
  });
});
