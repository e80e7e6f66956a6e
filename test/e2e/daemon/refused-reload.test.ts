import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Section } from '../../support/process/check-bench.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';

/** A receiver that responds when the test allows it. */
const waiting: ServerResponse[] = [];
const paths: string[] = [];
const receiver = createServer((request, response) => {
  paths.push(request.url ?? '');
  waiting.push(response);
});

let site: DaemonBench;
let daemon: DaemonProcess;
let page: string;
let hooks: string;

function sections(path: string, more: Section = {}): Section {
  return {
    // Nothing listens on this port.
    services: [{ name: 'gone', host: '127.0.0.1', port: 1, severity: 'critical' }],
    notify: { webhooks: [{ url: `${hooks}${path}` }], policy: { confirmations: 1 } },
    store: { path: 'data/history.sqlite' },
    ...more,
  };
}

/** Returns the outcome of each delivery. */
function deliveries(): readonly string[] {
  using db = new DatabaseSync(join(site.folder, 'data/history.sqlite'), { readOnly: true });
  return db
    .prepare('SELECT status FROM deliveries')
    .all()
    .map(({ status }) => String(status));
}

beforeEach(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  hooks = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}`;
  site = await createDaemonBench();
  await site.configure(sections('/ours'));
  daemon = site.start();
  page = await daemon.page();
});

afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
  receiver.closeAllConnections();
  receiver.close();
});

test('a refused configuration neither delivers nor gives up what the one in force is delivering', async () => {
  await expect.poll(() => paths, { timeout: 20_000 }).toEqual(['/ours']);
  const taken = (receiver.address() as AddressInfo).port;
  for (const path of ['/ours', '/others']) {
    await site.configure(sections(path, { web: { listen: `127.0.0.1:${String(taken)}` } }));
    const { status } = await fetch(`${page}/-/reload`, { method: 'POST' });
    expect(status).toBe(422);
    expect(deliveries()).toEqual(['pending']);
  }
  expect(paths).toEqual(['/ours']);
  for (const response of waiting) response.end();
  await expect.poll(deliveries, { timeout: 10_000 }).toEqual(['sent']);
  expect(paths).toEqual(['/ours']);
});
