import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDaemonBench, metricsOf, valueIn, type DaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';

let beats = 0;
const receiver = createServer((_, response) => {
  beats += 1;
  response.end('ok');
});

let site: DaemonBench;
let daemon: DaemonProcess;
let page: string;

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  site = await createDaemonBench();
  const url = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/ping`;
  await site.configure({
    web: { listen: `127.0.0.1:${String(await freePort())}` },
    notify: { heartbeat: { url, every: '1s' } },
  });
  daemon = site.start();
  page = await daemon.page();
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  receiver.closeAllConnections();
  receiver.close();
});

function silence(...args: readonly string[]): Promise<Run> {
  return runHere(['silence', ...args, '-c', 'ftm-watch.yaml'], { cwd: site.folder });
}

describe('a running daemon', () => {
  test('is silenced from the command line, and remembers it over a restart', async () => {
    const added = await silence(
      'add',
      '--for',
      '1h',
      '--cause',
      'mail-unreachable',
      '--comment',
      'The mail server moves',
    );
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    const [, id = ''] =
      /^Added (\S+): mail-unreachable until \S+, by (?<by>.+): The mail server moves\n$/u.exec(added.stdout) ?? [];
    expect(id).not.toBe('');

    await daemon.end('SIGTERM');
    expect(await silence('list')).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('check that "ftm-watch run" is running'),
    });
    daemon = site.start();
    page = await daemon.page();
    expect((await silence('list')).stdout).toContain(id);

    expect(await silence('remove', id)).toMatchObject({ exitCode: 0, stdout: `Removed ${id}\n` });
    expect((await silence('list')).stdout).toBe('There are no silences\n');
  });

  test('shows signs of life', async () => {
    const before = beats;
    await expect.poll(() => beats, { timeout: 10_000 }).toBeGreaterThan(before + 1);
  });

  test('probes on demand', async () => {
    const response = await fetch(`${page}/probe?target=license.example.test:${String(site.port)}&module=tcp`);

    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^probe_success 1$/mu);
    expect((await fetch(`${page}/probe?target=127.0.0.1:22&module=tcp`)).status).toBe(403);
  });
  test('shows Prometheus that a maintenance window is open', async () => {
    expect(valueIn(await metricsOf(page), 'ftm_maintenance_active')).toBe(0);
    const maintenance = [{ cron: '* * * * *', duration: '1h' }];
    await site.configure({ web: { listen: new URL(page).host }, notify: { maintenance } });
    expect(await runHere(['reload', '-c', 'ftm-watch.yaml'], { cwd: site.folder })).toMatchObject({ exitCode: 0 });
    expect(valueIn(await metricsOf(page), 'ftm_maintenance_active')).toBe(1);
  });
});
