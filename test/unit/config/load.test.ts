import { describe, expect, test } from 'vitest';
import {
  MAX_CONFIG_BYTES,
  type ReadResult,
  type ConfigFiles,
  loadConfig,
  type LoadResult,
} from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/config.ts';
import { formatIssue } from '../../../src/config/issues.ts';
import { configMachine, loadText } from '../../support/config/config-machine.ts';

const MINUTE = 60_000;

/** A machine whose only file is at this path. */
function machineWith(path: string, found: ReadResult): ConfigFiles {
  return {
    read: (asked) => Promise.resolve(asked === path ? found : { kind: 'missing' }),
    exposure: () => Promise.resolve(null),
    problem: () => Promise.resolve(null),
  };
}

function bytes(...parts: readonly (string | number[])[]): ReadResult {
  return { kind: 'read', bytes: Buffer.concat(parts.map((part) => Buffer.from(part))) };
}

async function configOf(text: string): Promise<Config> {
  const result = await loadText(text);
  if (result.kind === 'invalid') throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.config;
}

function messages(result: LoadResult): readonly string[] {
  return result.kind === 'ok' ? [] : result.issues.map(formatIssue);
}

describe('loadConfig without a file', () => {
  test('gives the defaults', async () => {
    const result = await loadConfig({ ...configMachine('/srv'), files: machineWith('/none', bytes()) });
    expect(result).toMatchObject({
      kind: 'ok',
      sources: [],
      substitutes: [],
      config: expect.objectContaining(DEFAULTS),
    });
    expect(result.kind === 'ok' ? Object.keys(result.config) : []).not.toContain('file');
  });

  test('uses the file in the checkout of the program and reports it, but none in the working directory', async () => {
    const files = machineWith('/srv/config/ftm-watch.yaml', bytes('site: hq'));
    const used: string[] = [];
    const onCheckoutFile = (path: string): unknown => used.push(path);

    expect(await loadConfig({ ...configMachine('/srv'), files, onCheckoutFile })).toMatchObject({ sources: [] });
    expect(used).toEqual([]);
    const result = await loadConfig({ ...configMachine('/tmp'), files, checkout: '/srv', onCheckoutFile });
    expect(result).toMatchObject({ kind: 'ok', sources: ['/srv/config/ftm-watch.yaml'], config: { site: 'hq' } });
    expect(used).toEqual(['/srv/config/ftm-watch.yaml']);
  });

  test('refuses a file in the checkout that others can change', async () => {
    const files = {
      ...machineWith('/srv/config/ftm-watch.yaml', bytes('site: hq')),
      exposure: () => Promise.resolve('others write it'),
    };
    const checkout = { ...configMachine('/srv'), files, checkout: '/srv' };
    expect(messages(await loadConfig(checkout))).toEqual([
      '/srv/config/ftm-watch.yaml  cannot read the configuration: others write it. If you trust the file, name it with "-c"',
    ]);
    expect(await loadConfig({ ...checkout, path: 'config/ftm-watch.yaml' })).toMatchObject({ kind: 'ok' });
  });

  test('takes the file of the installed program where there is no other', async () => {
    const files = machineWith('/etc/ftm-watch/ftm-watch.yaml', bytes('site: hq'));
    const result = await loadConfig({ ...configMachine('/srv'), files });
    expect(result).toMatchObject({
      kind: 'ok',
      sources: ['/etc/ftm-watch/ftm-watch.yaml'],
      config: { site: 'hq', file: '/etc/ftm-watch/ftm-watch.yaml' },
    });
  });

  test.each([
    { path: '/srv/config/ftm-watch.yaml', checkout: '/srv' },
    { path: '/etc/ftm-watch/ftm-watch.yaml', checkout: null },
  ])('refuses $path where it cannot be read', async ({ path, checkout }) => {
    const files = machineWith(path, { kind: 'failed', reason: 'permission denied' });
    const result = await loadConfig({ ...configMachine('/srv'), files, checkout });
    expect(messages(result)).toEqual([`${path}  cannot read the configuration: permission denied`]);
  });
});

describe('loadConfig', () => {
  test.each<readonly [string, ReadResult, string]>([
    ['a missing file', { kind: 'missing' }, 'no such file'],
    ['an unreadable file', { kind: 'failed', reason: 'permission denied' }, 'permission denied'],
    ['a huge file', { kind: 'too-large' }, `expected at most ${String(MAX_CONFIG_BYTES)} bytes`],
    ['an empty file', bytes(), 'the file is empty, which can be caused by a full disk or an unfinished copy'],
    ['Latin-1', bytes('site: B', [0xfc], 'ro'), 'expected UTF-8'],
  ])('refuses %s', async (_name, found, reason) => {
    const result = await loadConfig({
      ...configMachine('/srv'),
      path: 'own.yaml',
      files: machineWith('/srv/own.yaml', found),
    });
    expect(messages(result)).toEqual([`own.yaml  cannot read the configuration: ${reason}`]);
  });

  test('takes a byte order mark and Windows line ends', async () => {
    const files = machineWith('/srv/own.yaml', bytes([0xef, 0xbb, 0xbf], 'site: hq\r\nlog:\r\n  level: debug\r\n'));
    const result = await loadConfig({ ...configMachine('/srv'), path: 'own.yaml', files });
    expect(result).toMatchObject({ kind: 'ok', config: { site: 'hq', log: { level: 'debug' } } });
  });

  test('starts relative file names at the folder of the file, default ones at the working directory', async () => {
    const config = await configOf('trust: { caFiles: [ca.pem, /abs/ca.pem] }\nlogs: { files: [../fac.log] }');
    expect(config.trust.caFiles).toEqual(['/etc/ftm-watch/ca.pem', '/abs/ca.pem']);
    expect(config.logs.files).toEqual(['/etc/fac.log']);
    expect(config.store.path).toBe('/etc/ftm-watch/data/ftm-watch.sqlite');
    const elsewhere = await loadText('store: { path: own.sqlite }', {
      cwd: '/srv',
      path: '/etc/ftm-watch/ftm-watch.yaml',
    });
    expect(elsewhere).toMatchObject({
      config: {
        store: { path: '/etc/ftm-watch/own.sqlite' },
        trust: { baselineFile: '/srv/data/trust-baseline.json' },
      },
    });
  });

  test('takes addresses, durations and secrets apart', async () => {
    const config = await configOf(
      [
        'controlHosts: [www.example.org, "[2001:db8::1]:8443", 2001:db8::2]',
        'resolvers: [10.0.0.53, "tls://9.9.9.9"]',
        'mail: [{ host: a.example.org, security: tls }, { host: b.example.org, user: fac, passwordEnv: SET_SECRET }]',
        'logs: { window: 90s, silentAfter: 7d }',
        'web: { hosts: [Monitor.Example.org] }',
        'licenseServer: { proxy: { url: "http://10.0.0.8:3128", user: fac, passwordFile: proxy.txt } }',
      ].join('\n'),
    );
    expect(config.controlHosts).toEqual([
      { host: 'www.example.org', port: 443 },
      { host: '2001:db8::1', port: 8443 },
      { host: '2001:db8::2', port: 443 },
    ]);
    expect(config.resolvers).toEqual([
      { kind: 'udp', label: '10.0.0.53', host: '10.0.0.53', port: 53 },
      { kind: 'tls', label: 'tls://9.9.9.9', host: '9.9.9.9', port: 853 },
    ]);
    expect(config.mail).toMatchObject([
      { port: 465, user: null, password: null, from: null },
      { port: 25, user: 'fac', password: { kind: 'env', name: 'SET_SECRET' } },
    ]);
    expect(config.logs).toMatchObject({ window: 1.5 * MINUTE, silentAfter: 7 * 24 * 60 * MINUTE });
    expect(config.web.hosts).toEqual(['monitor.example.org']);
    expect(config.licenseServer.proxy).toEqual({
      host: '10.0.0.8',
      port: 3128,
      user: 'fac',
      password: { kind: 'file', path: '/etc/ftm-watch/proxy.txt' },
    });
  });

  test('leaves the server name to the host, to null or to an address that has none', async () => {
    const names = [
      '{}',
      '{ host: relay.example.org }',
      '{ host: 10.0.0.9 }',
      '{ serverName: null }',
      '{ serverName: other.example.org }',
    ];
    const configs = await Promise.all(names.map((section) => configOf(`licenseServer: ${section}`)));
    expect(configs.map((config) => config.licenseServer.serverName)).toEqual([
      'fortitokenmobile.fortinet.com',
      'relay.example.org',
      null,
      null,
      'other.example.org',
    ]);
  });

  test('expects no addresses of another licence server', async () => {
    const other = await configOf('licenseServer: { host: relay.example.org }');
    const fortinet = await configOf('licenseServer: { port: 8443 }');
    expect([other.licenseServer.expectedAddresses, fortinet.licenseServer.expectedAddresses]).toEqual([
      [],
      ['173.243.138.84', '173.243.138.0/24'],
    ]);
  });

  test('tells what is missing on the machine beside what is wrong in the file', async () => {
    const text = [
      'trust: { caFiles: [missing.pem], pins: [x] }',
      'appliances: [{ name: a/b, snmp: { host: h, communityEnv: UNSET } }]',
      'logs: { files: [missing.log], syslog: { tls: { listen: "[::]:1", certFile: c, keyFile: missing.key } } }',
      'store: { path: missing.sqlite, retenton: 1d }',
      'firewall: { url: "https://10.0.0.1", source: 10.0.0.5, tokenFile: "", caFile: "" }',
    ].join('\n');
    const told = messages(await loadText(text)).map((message) => message.replace(/^\S+\s+|, got .*/gu, ''));
    expect(told).toEqual([
      'trust.caFiles[0]: cannot read file "/etc/ftm-watch/missing.pem": no such file',
      'trust.pins[0]: expected a pin that consists of "sha256/" and 44 base64 characters',
      'appliances[0].name: expected a name of up to 64 letters, digits, spaces and "._-" (if it is a number, in quotes)',
      'appliances[0].snmp.communityEnv: environment variable "UNSET" is not set',
      'logs.syslog.tls.keyFile: cannot read file "/etc/ftm-watch/missing.key": no such file',
      'store: unknown key "retenton"; did you mean "retention"?',
      'firewall.tokenFile: expected the name of a file',
      'firewall.caFile: expected the name of a file',
    ]);
  });

  test('shows the first hundred problems and counts the others', async () => {
    const result = await loadText(Array.from({ length: 250 }, (_, index) => `unknown${String(index)}: 1`).join('\n'));
    expect(result.kind === 'invalid' && { shown: result.issues.length, hidden: result.hidden }).toEqual({
      shown: 100,
      hidden: 150,
    });
  });

  test('pollutes no prototype', async () => {
    await loadText(
      '__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n' +
        'log: { __proto__: { polluted: true } }',
    );
    expect('polluted' in {}).toBe(false);
  });
});

/** Excludes newer sources and channels, which define their own defaults. */
const DEFAULTS: Partial<Config> = {
  site: 'watcher',
  licenseServer: {
    host: 'fortitokenmobile.fortinet.com',
    port: 443,
    serverName: 'fortitokenmobile.fortinet.com',
    path: '/',
    expectedAddresses: ['173.243.138.84', '173.243.138.0/24'],
    family: 'auto',
    proxy: null,
  },
  trust: {
    profile: 'fortinet',
    pins: [],
    caFiles: [],
    baselineFile: '/srv/data/trust-baseline.json',
    productFiles: [],
  },
  services: [],
  controlHosts: [
    { host: 'www.fortinet.com', port: 443 },
    { host: 'www.iana.org', port: 443 },
  ],
  resolvers: [{ kind: 'system', label: 'system' }],
  sourceAddress: null,
  mail: [],
  clock: { ntp: [], maxOffset: 30_000 },
  appliances: [],
  logs: {
    syslog: { udp: null, tcp: null, tls: null },
    files: [],
    window: 15 * MINUTE,
    silentAfter: 24 * 60 * MINUTE,
    relays: [],
    foreign: 'count',
    signatureFiles: [],
  },
  registration: null,
  firewall: [],
  schedule: { probes: '*/30 * * * * *', appliance: '0 */5 * * * *', registration: '0 0 */6 * * *', timezone: 'UTC' },
  notify: expect.objectContaining({
    policy: { confirmations: 2, recoveries: 2, reminder: 4 * 60 * MINUTE, maxPerHour: 20 },
    maintenance: [],
    heartbeat: null,
  }),
  web: {
    listen: { address: '127.0.0.1', port: 9843 },
    publicUrl: null,
    tls: null,
    users: [],
    tokens: [],
    certificates: [],
    proxy: null,
    anonymous: null,
    plaintext: false,
    localReload: false,
    hosts: [],
    probeTargets: [],
  },
  store: { path: '/srv/data/ftm-watch.sqlite', retention: 90 * 24 * 60 * MINUTE },
  log: { level: 'info' },
};
