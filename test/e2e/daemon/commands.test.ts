import { existsSync, lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { runFtmWatch, type Run } from '../../support/process/ftm-watch.ts';

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

function command(...args: readonly string[]): Promise<Run> {
  return site.bench.run([...args, '-c', 'ftm-watch.yaml']);
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
    // Without $USER and other variables, as in a container.
    const args = ['silence', 'add', '--for', '1h', '--comment', 'x', '-c', 'ftm-watch.yaml'];
    expect(await runFtmWatch(args, { cwd: site.folder })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`by local (claimed: ${userInfo().username}): x\n`),
      stderr: '',
    });
    expect(await command('reload')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('silences, which is remembered over a restart', async () => {
    await site.configure({ store: { path: 'silenced/store.sqlite' } });
    {
      await using daemon = site.start();
      await daemon.page();
      const added = await command(
        'silence',
        'add',
        '--for',
        '1h',
        '--cause',
        'mail-unreachable',
        '--comment',
        'It moves',
      );
      expect(added).toMatchObject({ exitCode: 0, stderr: '' });
      await daemon.end('SIGTERM');
    }
    expect((await command('silence', 'list')).exitCode).toBe(3);
    await using daemon = site.start();
    await daemon.page();
    const { silences } = JSON.parse((await command('silence', 'list', '--json')).stdout) as {
      readonly silences: readonly { readonly id: string; readonly cause: string }[];
    };
    expect(silences).toMatchObject([{ cause: 'mail-unreachable', comment: 'It moves' }]);
    expect((await command('silence', 'remove', silences[0]?.id ?? '')).exitCode).toBe(0);
    expect(JSON.parse((await command('silence', 'list', '--json')).stdout)).toMatchObject({ silences: [] });
  });

  test('has what the daemon says against a configuration, and silences meanwhile', async () => {
    await site.configure();
    await using daemon = site.start();
    await daemon.page();
    await site.configure({ webb: {} });
    expect(await command('reload')).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^- .*"webb"/mu) });
    expect((await command('silence', 'list')).exitCode).toBe(0);
  });

  test('fails to reload a file that no parser reads; the one of the unit has the daemon refuse it', async () => {
    await site.configure();
    const RUNTIME_DIRECTORY = join(site.folder, 'run');
    mkdirSync(RUNTIME_DIRECTORY, { recursive: true });
    await using daemon = site.start({ env: { RUNTIME_DIRECTORY } });
    await daemon.page();
    writeFileSync(join(site.folder, 'ftm-watch.yaml'), 'site: [\n');
    expect((await command('reload')).exitCode).toBe(2);
    expect(daemon.log.map(({ event }) => event)).not.toContain('configuration-rejected');
    const ofUnit = await site.bench.run(['reload', '-c', 'ftm-watch.yaml'], { RUNTIME_DIRECTORY });
    expect(ofUnit).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^- \S*ftm-watch\.yaml:\d+:\d+ /mu) });
    expect(daemon.log.map(({ event }) => event)).toContain('configuration-rejected');
  });

  test('has every file of a configuration read again', async () => {
    const base = join(site.folder, 'base.yaml');
    writeFileSync(base, 'site: before\n');
    await site.configure({ site: undefined, include: ['base.yaml'] });
    await using daemon = site.start();
    await daemon.page();
    writeFileSync(base, 'site: after\nwebb: 1\n');
    expect((await command('reload')).stderr).toMatch(/^- \S*base\.yaml:2:1 {2}/mu);
    writeFileSync(base, 'site: after\n');
    expect((await command('reload')).exitCode).toBe(0);
    await expect.poll(() => daemon.status()).toMatchObject({ site: 'after' });
  });

  test('reaches a daemon in the place of one that was killed', async () => {
    await site.configure();
    const killed = site.startProcess();
    await killed.page();
    await killed.end('SIGKILL');
    expect((await command('silence', 'list')).exitCode).toBe(3);
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

test('a runtime directory has the socket, and a link to it is beside the store, until the daemon ends', async () => {
  await site.configure();
  const RUNTIME_DIRECTORY = join(site.folder, 'runtime');
  mkdirSync(RUNTIME_DIRECTORY);
  await using daemon = site.start({ env: { RUNTIME_DIRECTORY } });
  await daemon.page();
  const link = join(site.folder, 'data', 'ftm-watch.sqlite.sock');
  const socket = join(RUNTIME_DIRECTORY, 'control.sock');
  expect(readlinkSync(link)).toBe(socket);
  expect((await command('silence', 'list')).exitCode).toBe(0);

  await site.configure({ store: { path: 'another/store.sqlite' } });
  await using second = site.start({ env: { RUNTIME_DIRECTORY } });
  expect(await second.ended).toMatchObject({ code: 3, stderr: expect.stringContaining(`"${socket}"`) });

  await daemon.end('SIGTERM');
  expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  expect(existsSync(socket)).toBe(false);
});

test('a place where no socket can be costs the commands only', async () => {
  await site.configure({ store: { path: `${'deep'.repeat(30)}/store.sqlite` } });
  await using daemon = site.start();
  await daemon.page();
  const error = expect.stringContaining('107 bytes');
  expect(daemon.log).toContainEqual(expect.objectContaining({ event: 'commands-unavailable', error }));
});
