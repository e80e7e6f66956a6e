import { existsSync, lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { createDaemonBench, statusOf, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { runFtmWatch, type Run } from '../../support/process/ftm-watch.ts';
import { until } from '../../support/time/until.ts';

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
});
afterAll(() => site[Symbol.asyncDispose]());

/** Runs a command without $USER and other variables, as in a container. */
function command(...args: readonly string[]): Promise<Run> {
  return runFtmWatch([...args, '-c', 'ftm-watch.yaml'], { cwd: site.folder });
}

async function webWithUsers(): Promise<object> {
  const { leaf, intermediate } = await createHierarchy({ dnsNames: ['monitor.example.test'] });
  writeFileSync(join(site.folder, 'web.pem'), chainPem(leaf, intermediate));
  writeFileSync(join(site.folder, 'web.key'), leaf.keyPem);
  writeFileSync(join(site.folder, 'ops.hash'), await hashPassword('correct horse'));
  return {
    listen: '127.0.0.1:0',
    tls: { certFile: 'web.pem', keyFile: 'web.key' },
    users: [{ name: 'ops', passwordHashFile: 'ops.hash' }],
  };
}

describe('a command of this machine', () => {
  test('reaches a daemon whose page has TLS, users and any free port, in the name of the account', async () => {
    await site.configure({ web: await webWithUsers() });
    await using daemon = site.start();
    await daemon.page();

    expect(await command('silence', 'add', '--for', '1h', '--comment', 'x')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`by local (claimed: ${userInfo().username}): x\n`),
      stderr: '',
    });
    expect(await command('reload')).toMatchObject({ exitCode: 0, stdout: 'Configuration reloaded\n' });
  });

  test('has what the daemon says against a configuration, and silences meanwhile', async () => {
    await site.configure();
    await using daemon = site.start();
    await daemon.page();
    await site.configure({ webb: {} });

    expect(await command('reload')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /^The configuration was rejected. The previous one is still active:\n- .*unknown key "webb"/u,
      ),
    });
    expect((await command('silence', 'list')).exitCode).toBe(0);
  });

  test('fails to reload a file that no parser reads; the one of the unit has the daemon refuse it', async () => {
    await site.configure();
    const runtime = join(site.folder, 'run');
    mkdirSync(runtime, { recursive: true });
    await using daemon = site.start({ env: { RUNTIME_DIRECTORY: runtime } });
    await daemon.page();
    writeFileSync(join(site.folder, 'ftm-watch.yaml'), 'site: [\n');

    expect(await command('reload')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('The configuration is not valid: 1 problem\n'),
    });
    expect(
      await runFtmWatch(['reload', '-c', 'ftm-watch.yaml'], { cwd: site.folder, env: { RUNTIME_DIRECTORY: runtime } }),
    ).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /^The configuration was rejected. The previous one is still active:\n- ftm-watch\.yaml:\d+:\d+ /u,
      ),
    });
    expect(daemon.log.map(({ event }) => event)).toContain('configuration-rejected');
  });

  test('has every file of a configuration read again', async () => {
    const base = join(site.folder, 'base.yaml');
    writeFileSync(base, 'site: before\n');
    await site.configure({ site: undefined, include: ['base.yaml'] });
    await using daemon = site.start();
    const page = await daemon.page();
    writeFileSync(base, 'site: after\nwebb: 1\n');
    expect((await command('reload')).stderr).toContain('- base.yaml:2:1  unknown key "webb"');
    writeFileSync(base, 'site: after\n');
    expect((await command('reload')).exitCode).toBe(0);
    await until(
      () => statusOf(page),
      (status) => status?.site === 'after',
      20_000,
    );
  });

  test('reaches a daemon in the place of one that was killed', async () => {
    await site.configure();
    const killed = site.start();
    await killed.page();
    await killed.end('SIGKILL');
    expect(await command('silence', 'list')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/^ftm-watch is not running/u),
    });

    await using daemon = site.start();
    await daemon.page();
    expect((await command('silence', 'list')).exitCode).toBe(0);
  });

  test('goes with the store to another place', async () => {
    await site.configure();
    await using daemon = site.start();
    await daemon.page();
    await site.configure({ store: { path: 'elsewhere/store.sqlite' } });
    daemon.signal('SIGHUP');
    await daemon.logged('configuration-reloaded');

    expect((await command('silence', 'list')).exitCode).toBe(0);
    expect(existsSync(join(site.folder, 'data', 'ftm-watch.sqlite.sock'))).toBe(false);
  });
});

describe('a runtime directory', () => {
  test('has the socket, to which a link leads from beside the store; both go with the daemon', async () => {
    await site.configure();
    const folder = join(site.folder, 'runtime');
    mkdirSync(folder);
    const options = { cwd: site.folder, args: ['-c', 'ftm-watch.yaml'], env: { RUNTIME_DIRECTORY: folder } };
    await using daemon = startDaemonProcess(options);
    await daemon.page();
    const link = join(site.folder, 'data', 'ftm-watch.sqlite.sock');

    expect(readlinkSync(link)).toBe(join(folder, 'control.sock'));
    expect((await command('silence', 'list')).exitCode).toBe(0);

    await site.configure({ store: { path: 'another/store.sqlite' } });
    await using second = startDaemonProcess(options);
    expect(await second.ended).toMatchObject({
      code: 3,
      stderr:
        `Cannot listen at "${join(folder, 'control.sock')}": another ftm-watch is using this socket; ` +
        `stop it, or set a separate RUNTIME_DIRECTORY for this ftm-watch\n`,
    });

    await daemon.end('SIGTERM');
    expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
    expect(existsSync(join(folder, 'control.sock'))).toBe(false);
  });
});

describe('a place where no socket can be', () => {
  test('costs the commands only', async () => {
    await site.configure({ store: { path: `${'deep'.repeat(30)}/store.sqlite` } });
    await using daemon = site.start();
    await daemon.page();

    expect(daemon.log).toContainEqual(
      expect.objectContaining({
        event: 'commands-unavailable',
        error: expect.stringContaining('the path must be at most 107 bytes long'),
      }),
    );
  });
});
