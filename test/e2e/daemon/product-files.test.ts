import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
  await site.configure({ trust: { profile: 'pinned', caFiles: ['authority.pem'], productFiles: ['products.yaml'] } });
});

afterAll(() => site[Symbol.asyncDispose]());

function configCheck(): Promise<Run> {
  return runHere(['config', 'check', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
}

test('a product file with look-around, which an earlier version accepted, costs its patterns and not the start', async () => {
  await writeFile(
    join(site.folder, 'products.yaml'),
    "products:\n  - { id: acme, name: Acme, issuers: [{ CN: '(?!Old )Acme.*' }, { O: Acme }] }\n",
  );
  const skipped = expect.stringMatching(/Skipping the pattern "\(\?!Old \)Acme\.\*" of the product "acme"/u);

  expect(await configCheck()).toMatchObject({ exitCode: 0, stdout: skipped });
  await using daemon = site.start();
  await daemon.page();
  await expect.poll(() => daemon.log.map(({ msg }) => msg), { timeout: 10_000 }).toContainEqual(skipped);
});

test('config check refuses a product file that the daemon could not use', async () => {
  await writeFile(join(site.folder, 'products.yaml'), "products: [{ id: acme, name: Acme, pages: ['Acme('] }]\n");

  expect(await configCheck()).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('Cannot use the pattern') });
});
