import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takenPort } from '../../support/network/free-port.ts';
import { createSandbox } from '../../support/network/sandbox.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const END_WITHIN = 3_000;
const WELL = { code: 0, stderr: '' };

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

beforeEach(() => rm(join(site.folder, 'data'), { recursive: true, force: true }));

describeWhere(['root', 'network-namespaces'], 'a machine without any network and without any configuration', () => {
  test('has a page, which says that the internet is unreachable; Ctrl-C ends it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-alone-'));
    await using sandbox = await createSandbox();
    await using daemon = startDaemonProcess({ cwd: folder, prefix: sandbox.prefix });
    const page = await daemon.page();
    expect(page).toBe('http://127.0.0.1:9843');
    // The request is sent from inside the sandbox, because the page listens on the sandbox's loopback interface.
    const status = async (): Promise<unknown> => {
      const [command = '', ...rest] = sandbox.prefix;
      const script = `fetch('${page}/api/v1/status').then((r) => r.ok ? r.text() : null).then(console.log)`;
      return JSON.parse((await promisify(execFile)(command, [...rest, process.execPath, '-e', script])).stdout);
    };
    await expect
      .poll(status)
      .toMatchObject({ ready: 'not-ready', causes: [{ id: 'internet-unreachable', severity: 'critical' }] });
    expect(await daemon.end('SIGINT')).toMatchObject(WELL);
    await rm(folder, { recursive: true });
  });
});

describe('the end', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('comes at once with %s between two rounds', async (signal) => {
    await site.configure();
    await using daemon = site.startProcess();
    await daemon.diagnosis(({ ready }) => ready === 'ready');
    expect(daemon.log.map(({ event }) => event)).toContain('no-channel');
    const { tookMs, ...end } = await daemon.end(signal);
    expect(end).toEqual(WELL);
    expect(tookMs).toBeLessThan(END_WITHIN);
    expect(daemon.log.at(-1)?.event).toBe('stopped');
  });

  test('comes within seconds in the middle of a round in which nothing answers', async () => {
    await using hole = await createBlackHole();
    await site.configure({
      licenseServer: { host: '127.0.0.1', port: hole.port },
      services: [{ name: 'push', host: '127.0.0.2', port: hole.port }],
      controlHosts: [`127.0.0.1:${String(hole.port)}`],
      resolvers: ['system', `tcp://127.0.0.1:${String(hole.port)}`],
      mail: [{ host: '127.0.0.1', port: hole.port, security: 'none', from: 'a@example.org', to: 'b@example.org' }],
    });
    await using daemon = site.startProcess();
    expect(await daemon.status()).toBeNull();
    const { tookMs, ...end } = await daemon.end('SIGTERM');
    expect(end).toEqual(WELL);
    expect(tookMs).toBeLessThan(END_WITHIN);
  });

  test('comes in order when it is asked for before the start is done', async () => {
    await site.configure();
    await using daemon = site.startProcess();
    await daemon.logged('starting');
    const { tookMs, ...end } = await daemon.end('SIGTERM');
    expect(end).toEqual(WELL);
    expect(tookMs).toBeLessThan(END_WITHIN);
  });

  test('waits for a slow client no longer than a moment', async () => {
    await site.configure();
    await using daemon = site.start();
    const slow = connect(Number(new URL(await daemon.page()).port), '127.0.0.1').on('error', () => undefined);
    slow.write('GET / HTTP/1.1\r\n');
    await once(slow, 'connect');
    const { code, tookMs } = await daemon.end('SIGTERM');
    slow.destroy();
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(END_WITHIN);
  });
});

test('a mistake in the file is told with its line, and exit code 3', async () => {
  await writeFile(join(site.folder, 'ftm-watch.yaml'), 'site: hq\nwebb: {}\n');
  await using daemon = site.startProcess();
  expect(await daemon.ended).toMatchObject({ code: 3, stderr: expect.stringMatching(/ftm-watch\.yaml:2/u) });
});

describe.each([
  ['a data folder that cannot be made', '/proc/nope/x.sqlite'],
  // A file in place of the folder, because permissions do not stop root.
  ['a data folder that cannot be written', 'data-file/ftm-watch.sqlite'],
])('%s', (_, path) => {
  test('costs history only', async () => {
    await writeFile(join(site.folder, 'data-file'), '', { flag: 'a' });
    await chmod(join(site.folder, 'data-file'), 0o444);
    await site.configure({ store: { path }, logs: { syslog: { udp: '127.0.0.1:0' } } });
    await using daemon = site.start();
    await daemon.diagnosis(({ ready }) => ready === 'ready');
    expect(await daemon.value('ftm_store_writable')).toBe(0);
    expect((await daemon.fetch('-/ready')).status).toBe(200);
    const unusable = daemon.log.filter(({ event }) => event === 'history-unusable');
    expect(unusable).toEqual([expect.objectContaining({ error: expect.stringMatching(/"\/\S+"/u) })]);
    expect(await daemon.end('SIGTERM')).toMatchObject(WELL);
  });
});

describe('a service manager', () => {
  const bin = join(site.folder, 'bin');
  const sent = join(site.folder, 'sent');
  const told = (): Promise<string> => readFile(sent, 'utf8');
  const PATH = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
  const NOTIFY_SOCKET = '/run/notify';

  /** Replaces the real program, which works only in a unit: records what it was asked to send, and how. */
  beforeAll(async () => {
    await mkdir(bin);
    const script = `#!/bin/sh\necho "$@ to $NOTIFY_SOCKET" >> ${sent}\nenv > ${sent}.env\n`;
    await writeFile(join(bin, 'systemd-notify'), script, { mode: 0o755 });
  });
  beforeEach(() => writeFile(sent, ''));

  test('is told when all ports are bound, and when it stops', async () => {
    await site.configure();
    await using daemon = site.startProcess({ env: { PATH, NOTIFY_SOCKET, SECRET_OF_THE_SITE: 'hunter2' } });
    await expect.poll(told).toBe('READY=1 to /run/notify\n');
    expect(daemon.log.map(({ event }) => event)).toContain('page-served');
    expect(await readFile(`${sent}.env`, 'utf8')).not.toContain('hunter2');
    expect(await daemon.end('SIGTERM')).toMatchObject(WELL);
    expect(await told()).toBe('READY=1 to /run/notify\nSTOPPING=1 to /run/notify\n');
  });

  test.each<readonly [string, (listen: string) => object]>([
    ['the page', (listen) => ({ web: { listen } })],
    ['log lines', (listen) => ({ logs: { syslog: { tcp: listen } } })],
  ])('is told nothing by a start that fails because the port for %s is taken: exit code 3', async (_, sections) => {
    await using taken = await takenPort();
    await site.configure({ ...sections(taken.listen) });
    await using daemon = site.startProcess({ env: { PATH, NOTIFY_SOCKET } });
    const { code, stderr } = await daemon.ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(new RegExp(`^Cannot [^\n]*${taken.listen.replaceAll('.', String.raw`\.`)}[^\n]*\n$`, 'u'));
    expect(await told()).toBe('');
    expect(daemon.log.map(({ event }) => event)).toEqual(['starting']);
  });

  test('that does not exist is told nothing', async () => {
    await site.configure();
    await using daemon = site.startProcess({ env: { PATH } });
    await daemon.page();
    expect(await daemon.end('SIGTERM')).toMatchObject(WELL);
    expect(await told()).toBe('');
  });

  test('without its program, as in a container that got the socket, holds nobody up, and that is said', async () => {
    await site.configure();
    await using daemon = site.startProcess({ env: { NOTIFY_SOCKET, PATH: '/nonexistent' } });
    await daemon.logged('service-manager-unreachable');
    await daemon.page();
    expect(await daemon.end('SIGTERM')).toMatchObject(WELL);
  });
});

describe('a second daemon with the same store', () => {
  test('does not start, names the first, which goes on through a reload, and starts when that was killed', async () => {
    await site.configure();
    await using first = site.startProcess();
    await first.page();
    const { code, stderr } = await site.startProcess().ended;
    expect(code).toBe(3);
    expect(stderr).toContain(`process ${String(first.pid)} on `);
    first.signal('SIGHUP');
    await first.logged('configuration-reloaded');
    await first.diagnosis(({ ready }) => ready === 'ready');

    await first.end('SIGKILL');
    await using second = site.startProcess();
    expect(await second.page()).toMatch(/^http/u);
  });

  test('leaves report, check and a backup to others', async () => {
    await site.configure();
    await using first = site.startProcess();
    await first.diagnosis(({ ready }) => ready === 'ready');
    const command = (...args: readonly string[]) =>
      site.bench.run([...args, '-c', 'ftm-watch.yaml']).then(({ exitCode }) => exitCode);
    expect([await command('report', '-o', 'report.zip'), await command('check')]).toEqual([0, 0]);
    using db = new DatabaseSync(join(site.folder, 'data', 'ftm-watch.sqlite'), { readOnly: true });
    db.prepare('VACUUM INTO ?').run(join(site.folder, 'copy.sqlite'));
    using copy = new DatabaseSync(join(site.folder, 'copy.sqlite'), { readOnly: true });
    expect(copy.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });
});

test('a store of a newer program is said on the page, in the metrics and by check', async () => {
  await mkdir(join(site.folder, 'data'));
  {
    using db = new DatabaseSync(join(site.folder, 'data', 'ftm-watch.sqlite'));
    db.exec('PRAGMA user_version = 999');
  }
  await site.configure();
  await using daemon = site.start();
  await expect.poll(() => daemon.status()).not.toBeNull();
  const said = /The history has version 999/u;
  expect(await daemon.read('/')).toMatch(said);
  expect(await daemon.logged('history-unusable')).toMatchObject({ error: expect.stringMatching(said) });
  expect([await daemon.value('ftm_store_newer'), await daemon.value('ftm_store_writable')]).toEqual([1, 0]);
  const check = await runFtmWatch(['check', '-c', 'ftm-watch.yaml', '--json'], { cwd: site.folder });
  expect(check).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(said) });
  expect(JSON.parse(check.stdout)).toMatchObject({ ready: 'ready' });
});
