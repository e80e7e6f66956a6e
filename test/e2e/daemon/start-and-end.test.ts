import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  createDaemonBench,
  metricsOf,
  statusOf,
  valueIn,
  type DaemonBench,
} from '../../support/process/daemon-bench.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox } from '../../support/network/sandbox.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { until } from '../../support/time/until.ts';

const run = promisify(execFile);

const READY_WITHIN = 10_000;
const END_WITHIN = 3_000;

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
});

afterAll(() => site[Symbol.asyncDispose]());

describeWhere(['root', 'network-namespaces'], 'a machine without any network and without any configuration', () => {
  test('has a page, which says that the internet is unreachable; Ctrl-C ends it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-alone-'));
    await using sandbox = await createSandbox();
    const { prefix } = sandbox;
    await using daemon = startDaemonProcess({ cwd: folder, prefix });
    // The request is sent from inside the sandbox, because the page listens on the sandbox's loopback interface.
    const ask = async (path: string): Promise<string> => {
      const [command = '', ...rest] = prefix;
      const script = `fetch(${JSON.stringify(`${page}${path}`)}).then((r) => r.text()).then((t) => process.stdout.write(t))`;
      return (await run(command, [...rest, process.execPath, '-e', script])).stdout;
    };
    const page = await daemon.page();
    expect(page).toBe('http://127.0.0.1:9843');
    const html = await until(
      () => ask('/'),
      (text) => text.includes('internet-unreachable'),
      READY_WITHIN,
    );
    expect(html).toMatch(/internet/iu);
    expect(JSON.parse(await ask('/api/v1/status'))).toMatchObject({
      ready: 'not-ready',
      causes: [{ id: 'internet-unreachable', severity: 'critical' }],
    });
    expect(await daemon.end('SIGINT')).toMatchObject({ code: 0, stderr: '' });
    await rm(folder, { recursive: true });
  });
});

describe('the end', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('comes at once with %s between two rounds', async (signal) => {
    await site.configure();
    await using daemon = site.start();
    const page = await daemon.page();
    await until(
      () => statusOf(page),
      (status) => status?.ready === 'ready',
      READY_WITHIN,
    );
    expect(daemon.log.map(({ event }) => event)).toContain('no-channel');
    const { code, stderr, tookMs } = await daemon.end(signal);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
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
    await using daemon = site.start();
    const page = await daemon.page();
    expect(await statusOf(page)).toBeNull();
    const { code, stderr, tookMs } = await daemon.end('SIGTERM');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(tookMs).toBeLessThan(END_WITHIN);
  });

  test('comes in order when it is asked for before the start is done', async () => {
    await site.configure();
    await using daemon = site.start();
    await daemon.logged('starting');
    const { code, stderr, tookMs } = await daemon.end('SIGTERM');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(tookMs).toBeLessThan(END_WITHIN);
  });

  test('waits for a slow client no longer than a moment', async () => {
    await site.configure();
    await using daemon = site.start();
    const page = await daemon.page();
    const events = await fetch(`${page}/api/v1/events`);
    const { code, tookMs } = await daemon.end('SIGTERM');
    await events.body?.cancel().catch(() => undefined);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(END_WITHIN);
  });
});

describe('what cannot be started', () => {
  test.each([
    { what: 'the page', keys: (address: string) => ({ web: { listen: address } }) },
    { what: 'log lines', keys: (address: string) => ({ logs: { syslog: { tcp: address } } }) },
  ])('a port for $what that is taken ends it with a message and exit code 3', async ({ keys }) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await site.configure(keys(`127.0.0.1:${String(port)}`));
    await using daemon = site.start();
    const { code, stderr } = await daemon.ended;
    taken.close();
    expect(code).toBe(3);
    expect(stderr).toMatch(new RegExp(`^Cannot .*127\\.0\\.0\\.1:${String(port)}`, 'u'));
    expect(stderr).toMatch(/another program|already in use/u);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a mistake in the file is told with its line, and exit code 3', async () => {
    await writeFile(join(site.folder, 'bad.yaml'), 'site: hq\nwebb: {}\n');
    await using daemon = startDaemonProcess({ cwd: site.folder, args: ['-c', 'bad.yaml'] });
    const { code, stderr } = await daemon.ended;
    expect(code).toBe(3);
    expect(stderr).toMatch(/bad\.yaml:2/u);
  });
});

describeWhere(['linux'], 'a data folder that cannot be made', () => {
  test('costs history only', async () => {
    await site.configure({ store: { path: '/proc/nope/x.sqlite' } });
    await using daemon = site.start();
    await daemon.page();
    expect((await daemon.logged('history-unusable'))['error']).toMatch(/^Cannot create the folder "\/proc\/nope"/u);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a data folder that cannot be written', () => {
  test('costs history only', async () => {
    // A file in place of the folder, because permissions do not stop root.
    await writeFile(join(site.folder, 'data-file'), '');
    await chmod(join(site.folder, 'data-file'), 0o444);
    await site.configure({ store: { path: 'data-file/ftm-watch.sqlite' }, logs: { syslog: { udp: '127.0.0.1:0' } } });
    await using daemon = site.start();
    const page = await daemon.page();
    await until(
      () => statusOf(page),
      (status) => status?.ready === 'ready',
      READY_WITHIN,
    );
    expect(valueIn(await metricsOf(page), 'ftm_store_writable')).toBe(0);
    expect((await fetch(`${page}/-/ready`)).status).toBe(200);
    expect(daemon.log.filter(({ event }) => event === 'history-unusable')).toHaveLength(1);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});
