import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 10_000;

let site: DaemonBench;
let bin: string;
let sent: string;

/** Replaces the real program, which works only in a unit: records what it was asked to send, and how. */
beforeAll(async () => {
  site = await createDaemonBench();
  bin = join(site.folder, 'bin');
  sent = join(site.folder, 'sent');
  await mkdir(bin);
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$@ to $NOTIFY_SOCKET" >> ${sent}\nenv > ${sent}.env\n`, {
    mode: 0o755,
  });
});

afterAll(() => site[Symbol.asyncDispose]());

beforeEach(() => {
  writeFileSync(sent, '');
  rmSync(`${sent}.env`, { force: true });
});

const env = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
  SECRET_OF_THE_SITE: 'hunter2',
  ...more,
});
const lines = (): Promise<string> => Promise.resolve(readFileSync(sent, 'utf8'));

test('a service manager is told when all ports are bound, and when it stops', async () => {
  await site.configure();
  await using daemon = site.start({ env: env({ NOTIFY_SOCKET: '/run/notify' }) });
  expect(await until(lines, (text) => text !== '', WITHIN)).toBe('READY=1 to /run/notify\n');
  expect(daemon.log.map(({ event }) => event)).toContain('page-served');
  expect(readFileSync(`${sent}.env`, 'utf8')).not.toContain('hunter2');

  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
  expect(await lines()).toBe('READY=1 to /run/notify\nSTOPPING=1 to /run/notify\n');
});

test('a start that fails because of the last port is never ready, and has begun nothing', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await site.configure({ web: { listen: `127.0.0.1:${String(port)}` } });
  await using daemon = site.start({ env: env({ NOTIFY_SOCKET: '/run/notify' }) });

  expect(await daemon.ended).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('the port is in use by another program'),
  });
  expect(await lines()).toBe('');
  expect(daemon.log.map(({ event }) => event)).toEqual(['starting']);
  taken.close();
});

test('no service manager: nothing is sent', async () => {
  await site.configure();
  await using daemon = site.start({ env: env() });
  await daemon.page();
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
  expect(await lines()).toBe('');
});

test('without the program, as in a container that got the socket, the daemon goes on and says so', async () => {
  await site.configure();
  await using daemon = site.start({ env: { NOTIFY_SOCKET: '/run/notify', PATH: '/nonexistent' } });
  expect(await daemon.logged('service-manager-unreachable')).toMatchObject({ error: 'spawn systemd-notify ENOENT' });
  await daemon.page();
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
});
