import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { productionPackages } from '../../../tools/sbom/bill.ts';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';

/** "secret", at the lowest cost factor. */
const BCRYPT = '$2b$04$T09OSHkYR0m/5zSBicLIgu0n1PHwhgQH8vHXnbwdOMZJNSMdDrjMe';
const LINE = 'FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed';

/** All Node globals that load undici when they are read. */
const TELL_UNDICI = `
  const http = require('node:http');
  const tell = (holder, name) => Object.defineProperty(holder, name, { get: () => console.error(name, 'was read') });
  for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) tell(http, name);
  for (const name of ['Headers', 'Request', 'Response', 'FormData', 'fetch', 'WebSocket']) tell(globalThis, name);
`;

const TELL_LOADED = `
  const { appendFileSync } = require('node:fs');
  require('node:module').registerHooks({
    load: (url, context, next) => {
      if (url.startsWith('file:')) appendFileSync(process.env.LOADED, url + '\\n');
      return next(url, context);
    },
  });
`;

/** Before each module in the bundle. */
const PACKAGE = /^\/\/ node_modules\/(?<name>(?:@[^/\n]+\/)?[^/\n]+)\//gmu;

/** What every command needs that reads the configuration. */
const READS = ['commander', 'croner', 'ipaddr.js', 'leven', 'node-cron', 'picocolors', 'yaml', 'zod'];

/** Far from this checkout, so that a file missing from the bundle is noticed. */
const base = mkdtempSync(join(tmpdir(), 'ftm-watch-bundle-'));
const [dist, cwd] = [join(base, 'dist'), join(base, 'empty')];
const main = join(dist, 'main.js');

beforeAll(async () => {
  mkdirSync(cwd);
  execFileSync(process.execPath, ['tools/bundle/bundle.ts', dist], { env: cleanEnvironment() });
  // A closed port, so that nothing responds.
  const closed = `127.0.0.1:${String(await freePort())}`;
  const config = {
    licenseServer: { host: '127.0.0.1', port: Number(closed.split(':')[1]) },
    controlHosts: [closed],
    resolvers: [closed],
    web: { listen: '127.0.0.1:0', users: [{ name: 'ops', passwordHashFile: 'ops.hash' }] },
  };
  writeFileSync(join(cwd, 'ops.hash'), BCRYPT);
  writeFileSync(join(cwd, 'ftm-watch.yaml'), JSON.stringify(config));
});

afterAll(() => rmSync(base, { recursive: true }));

describe('dist/ in a folder without node_modules', () => {
  test('runs, and serves all that its page asks for', async () => {
    await using daemon = startDaemonProcess({ cwd, main, args: ['--config', 'ftm-watch.yaml'] });
    const page = await daemon.page();
    const authorization = `Basic ${Buffer.from('ops:secret').toString('base64')}`;
    const get = (path: string): Promise<Response> => fetch(`${page}/${path}`, { headers: { authorization } });
    const html = await (await get('')).text();
    const scripts = ['static/history.js', 'static/live.js', 'static/copy-buttons.js'];
    const named = [html, ...(await Promise.all(scripts.map(async (path) => (await get(path)).text())))]
      .flatMap((text) => [...text.matchAll(/static\/[a-z-]+\.[a-z]+/gu)])
      .map(([path]) => path);
    expect(named).toEqual(expect.arrayContaining(['static/style.css', 'static/uplot.js', 'static/uplot.css']));
    for (const path of named) expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect(html).toMatch(/<title>[^<]+ \u2013 [^<]+<\/title>/u);
    expect(await (await get('static/uplot.js')).text()).toMatch(/^\/\*! https:\/\/github.com\/leeoniya\/uPlot/u);
    expect((await daemon.end('SIGTERM')).code).toBe(0);
  });

  test('checks and explains', async () => {
    const check = await runFtmWatch(['check', '--config', 'ftm-watch.yaml'], { cwd, main });
    expect(check.stdout).toContain('NOT READY: ');
    expect([check.exitCode, check.stderr]).toEqual([2, '']);
    const explained = await runFtmWatch(['explain', LINE], { cwd, main });
    expect(explained.stdout).toContain('signature ftm-polling-ssl');
    expect([explained.exitCode, explained.stderr]).toEqual([0, '']);
  });

  test("loads none of Node's own undici for a command, which takes 30 ms", async () => {
    const preload = join(base, 'tell-undici.cjs');
    writeFileSync(preload, TELL_UNDICI);
    const env = { NODE_OPTIONS: `--require ${preload}` };
    const check = await runFtmWatch(['check', '--config', 'ftm-watch.yaml'], { cwd, main, env });
    expect([check.exitCode, check.stderr]).toEqual([2, '']);
  });

  test.each([
    { args: ['--version'], packages: ['commander'], kilobytes: 125 },
    { args: ['explain', LINE], packages: READS, kilobytes: 850 },
    { args: ['config', 'check'], packages: READS, kilobytes: 1_000 },
    { args: ['check', '--json'], packages: [...READS, '@leichtgewicht/ip-codec', 'dns-packet'], kilobytes: 1_650 },
  ])('loads only what $args needs', async ({ args, packages, kilobytes }) => {
    const [preload, list] = [join(base, 'tell-loaded.cjs'), join(base, `loaded-by-${args[0] ?? ''}`)];
    writeFileSync(preload, TELL_LOADED);
    const env = { NODE_OPTIONS: `--require ${preload}`, LOADED: list };
    await runFtmWatch([...args, '--config', 'ftm-watch.yaml'], { cwd, main, env });
    const files = readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((url) => fileURLToPath(url));
    const code = files.filter((file) => file.startsWith(dist)).map((file) => readFileSync(file, 'utf8'));
    const loaded = code.flatMap((text) => [...text.matchAll(PACKAGE)].map(({ groups }) => groups?.['name'] ?? ''));
    expect([...new Set(loaded)].toSorted()).toEqual(packages.toSorted());
    const size = code.reduce((sum, text) => sum + text.length, 0) / 1_000;
    expect(size).toBeGreaterThan(kilobytes * 0.8);
    expect(size).toBeLessThan(kilobytes);
  });

  test('knows its version', async () => {
    expect(await runFtmWatch(['--version'], { cwd, main })).toMatchObject({ stdout: `${packageJson.version}\n` });
  });

  test('is text of one byte a character, which V8 keeps in memory as it is', () => {
    const files = readdirSync(dist).filter((name) => name.endsWith('.js'));
    expect(files.length).toBeGreaterThan(5);
    for (const name of files)
      expect([name, readFileSync(join(dist, name)).find((byte) => byte > 127)]).toEqual([name, undefined]);
  });

  test('has no file of a megabyte but undici, which few load', () => {
    const large = readdirSync(dist).filter((name) => statSync(join(dist, name)).size >= 1_000_000);
    expect(large.filter((name) => !name.startsWith('undici'))).toEqual([]);
  });

  test('has the demo apart: only its command loads it, and it shares no file with another', () => {
    const code = readdirSync(dist)
      .filter((name) => name.endsWith('.js'))
      .map((name) => [name, readFileSync(join(dist, name), 'utf8')] as const);
    expect(code.filter(([, text]) => text.includes('./demo.js')).map(([name]) => name)).toEqual(['main.js']);
    expect(readFileSync(main, 'utf8')).toMatch(/await import\("\.\/demo\.js"\)/u);
    const own = readFileSync(join(dist, 'demo.js'), 'utf8');
    expect([...own.matchAll(/\bfrom ?"(?<from>[^"]+)"/gu)].map(({ groups }) => groups?.['from'] ?? '')).toEqual(
      own.match(/(?<=\bfrom ?")node:[a-z0-9_/]+(?=")/gu),
    );
    expect(statSync(join(dist, 'demo.js')).size).toBeLessThan(600_000);
  });

  test('imports nothing that is not in it or in Node', () => {
    const files = readdirSync(dist).filter((name) => name.endsWith('.js') && name !== 'main.js');
    expect(files.length).toBeGreaterThan(10);
    const script = files.map((name) => `await import(${JSON.stringify(join(dist, name))});`).join('');
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd, env: {} });
  });
});

describe('THIRD-PARTY.txt', () => {
  const notices = (): string => readFileSync(join(dist, 'THIRD-PARTY.txt'), 'utf8');

  test('names each package that the bundle contains, with its license', () => {
    const code = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(join(dist, name), 'utf8'));
    const contained = new Set(
      code.flatMap((text) => [...text.matchAll(PACKAGE)].map(({ groups }) => `node_modules/${groups?.['name'] ?? ''}`)),
    );
    const locked = productionPackages();
    expect(contained.size).toBeGreaterThan(20);
    for (const folder of [...contained, 'node_modules/uplot']) {
      const { version, license = '' } = locked[folder] ?? {};
      expect(notices()).toContain(`\n${folder.replace('node_modules/', '')} ${String(version)} (${license})\n\n`);
    }
  });

  test('has a text for each of them', () => {
    const [, ...entries] = notices().split(/^(?=\S+ \d+\.\d+\.\d+ \([\w.-]+\)$)/mu);
    expect(entries.filter((text) => !/permi(?:ssion|t)|Apache License/iu.test(text))).toEqual([]);
  });
});
