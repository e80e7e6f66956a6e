import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';

// Accepts everything and never responds.
const silent = createServer((socket) => socket.on('error', () => undefined).resume());

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ftm-watch-called-off-'));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterEach(async () => {
  silent.close();
  await rm(cwd, { recursive: true });
});

test('a report that is called off is not written', async () => {
  const { port } = silent.address() as AddressInfo;
  await writeFile(
    join(cwd, 'off.yaml'),
    JSON.stringify({ licenseServer: { host: '127.0.0.1', port }, controlHosts: [] }),
  );
  const run = await runFtmWatch(['report', '-c', 'off.yaml'], { cwd, interruptAfter: once(silent, 'connection') });
  expect(run).toMatchObject({ exitCode: 3, stdout: '', stderr: 'The report was cancelled. Nothing was written\n' });
  expect(await readdir(cwd)).toEqual(['off.yaml']);
});
