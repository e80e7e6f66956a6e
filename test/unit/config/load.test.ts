import { describe, expect, test } from 'vitest';
import { type ReadResult, type ConfigFiles, loadConfig, type LoadResult } from '../../../src/config/load.ts';
import { formatIssue } from '../../../src/config/issues.ts';
import { configMachine, loadText } from '../../support/config/config-machine.ts';
import { configOf } from '../../support/config/config-of.ts';
import { DAY, MINUTE } from '../../support/time/units.ts';

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

function messages(result: LoadResult): readonly string[] {
  return result.kind === 'ok' ? [] : result.issues.map(formatIssue);
}

/** Defaults that come from the machine or from other keys. The others are in the schema. */
const DERIVED = {
  site: 'watcher',
  licenseServer: {
    serverName: 'fortitokenmobile.fortinet.com',
    expectedAddresses: ['173.243.138.84', '173.243.138.0/24'],
  },
  trust: { baselineFile: '/srv/data/trust-baseline.json' },
  schedule: { timezone: 'UTC' },
  store: { path: '/srv/data/ftm-watch.sqlite' },
};

/** Returns where the problems are, and at which keys. */
function places(result: LoadResult): readonly string[] {
  return messages(result).map((text) => /:(\d+:\d+ {2}[\w.[\]]*)/u.exec(text)?.[1]?.replace('  ', ' ') ?? text);
}

describe('loadConfig without a file', () => {
  test('gives the defaults', async () => {
    const result = await loadConfig({ ...configMachine('/srv'), files: machineWith('/none', bytes()) });
    expect(result).toMatchObject({
      kind: 'ok',
      sources: [],
      substitutes: [],
      config: DERIVED,
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
      expect.stringMatching(/^\/srv\/config\/ftm-watch\.yaml {2}.*others write it/u),
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
    expect(messages(result)).toEqual([expect.stringMatching(`^${path}  .*permission denied`)]);
  });
});

describe('loadConfig', () => {
  test.each<readonly [string, ReadResult]>([
    ['a missing file', { kind: 'missing' }],
    ['an unreadable file', { kind: 'failed', reason: 'permission denied' }],
    ['a huge file', { kind: 'too-large' }],
    ['an empty file', bytes()],
    ['Latin-1', bytes('site: B', [0xfc], 'ro')],
  ])('refuses %s', async (_name, found) => {
    const files = machineWith('/srv/own.yaml', found);
    const result = await loadConfig({ ...configMachine('/srv'), path: 'own.yaml', files });
    expect(messages(result)).toEqual([expect.stringMatching(/^own\.yaml {2}/u)]);
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
    expect(config.logs).toMatchObject({ window: 1.5 * MINUTE, silentAfter: 7 * DAY });
    expect(config.web.hosts).toEqual(['monitor.example.org']);
    expect(config.licenseServer.proxy).toEqual({
      host: '10.0.0.8',
      port: 3128,
      user: 'fac',
      password: { kind: 'file', path: '/etc/ftm-watch/proxy.txt' },
    });
  });

  test.each([
    ['{}', 'fortitokenmobile.fortinet.com'],
    ['{ host: relay.example.org }', 'relay.example.org'],
    ['{ host: 10.0.0.9 }', null],
    ['{ serverName: null }', null],
    ['{ serverName: other.example.org }', 'other.example.org'],
  ])('takes as the server name for %s: %s', async (section, expected) => {
    expect((await configOf(`licenseServer: ${section}`)).licenseServer.serverName).toBe(expected);
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
    expect(places(await loadText(text))).toEqual([
      '1:20 trust.caFiles[0]',
      '1:41 trust.pins[0]',
      '2:16 appliances[0].name',
      '2:44 appliances[0].snmp.communityEnv',
      '3:79 logs.syslog.tls.keyFile',
      '4:32 store',
      '5:56 firewall.tokenFile',
      '5:71 firewall.caFile',
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
