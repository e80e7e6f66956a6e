import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url));
const run = promisify(execFile);

/** For example `0.20 (0.19–0.21)`. */
const SPREAD = String.raw`\d+\.\d+ \(\d+\.\d+–\d+\.\d+\)`;

test('bench compares a probe with that of blackbox_exporter, and tells what with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-bench-test-'));
  try {
    const json = join(folder, 'results.json');
    const { stdout } = await run(process.execPath, [BENCH, '--only', 'dns', '--quick', '--json', json]);
    expect(stdout).toMatch(/^Measured on \d{4}-\d\d-\d\d \(quick/u);
    expect(stdout).toContain(`on Node ${process.versions.node} `);
    for (const concurrency of [1, 8, 32])
      expect(stdout).toMatch(
        new RegExp(
          `^\\| DNS, .* \\| ${String(concurrency)} \\| \\*\\*${SPREAD}\\*\\* \\| ${SPREAD} \\| ${SPREAD} \\|`,
          'mu',
        ),
      );
    const results: unknown = JSON.parse(await readFile(json, 'utf8'));
    expect(results).toMatchObject({
      quick: true,
      comparisons: [{ kind: 'dns' }, { kind: 'dns' }, { kind: 'dns' }],
      round: null,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('bench names what can be measured when asked for something else', async () => {
  await expect(run(process.execPath, [BENCH, '--only', 'dsn'])).rejects.toThrow(
    /Cannot measure "dsn": expected npm run bench -- \[--only dns,tcp,/u,
  );
});
