import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';

import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';

const READ = 'ftm_log_lines_total{source="file",result="ftm"}';

const stored = z.object({
  appliances: z.record(
    z.string(),
    z.object({ signatures: z.record(z.string(), z.object({ buckets: z.array(z.object({ count: z.number() })) })) }),
  ),
});

let log: string;

const site = await createDaemonBench();

beforeAll(async () => {
  log = join(site.folder, 'fac.log');
  await site.configure({ logs: { files: ['fac.log'] } });
});

afterAll(() => site[Symbol.asyncDispose]());

/** The number of errors that the daemon has saved. */
async function remembered(): Promise<number> {
  const { appliances } = stored.parse(JSON.parse(await readFile(join(site.folder, 'data', 'polling.json'), 'utf8')));
  const logs = Object.values(appliances).flatMap(({ signatures }) => Object.values(signatures));
  return logs.flatMap(({ buckets }) => buckets).reduce((sum, { count }) => sum + count, 0);
}

// Positions are written before the errors, together with them, and long after them.
test.each([0, 400, 1_000, 2_500, 3_500])(
  'a daemon that is killed %i ms after it read an error neither loses nor doubles it',
  async (delay) => {
    await writeFile(log, 'history\n');
    await using first = site.startProcess();
    await first.page();
    const before = await remembered().catch(() => 0);
    await appendFile(log, `${POLLING_ERROR_LINE}\n`);
    await expect.poll(() => first.value(READ)).toBe(1);
    await setTimeout(delay);
    await first.end('SIGKILL');
    // No process reads the file in the meantime.
    await appendFile(log, `${POLLING_ERROR_LINE}\n`);
    await rename(log, `${log}.1`);
    await writeFile(log, `${POLLING_ERROR_LINE}\n`);

    await using second = site.startProcess();
    await second.page();
    expect(await second.end('SIGTERM')).toMatchObject({ code: 0 });
    expect((await remembered()) - before).toBe(3);
  },
);
