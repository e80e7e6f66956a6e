import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import {
  createDaemonBench,
  metricsOf,
  statusOf,
  valueIn,
  type DaemonBench,
} from '../../support/process/daemon-bench.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { until } from '../../support/time/until.ts';
import { PROGRAM } from '../../support/process/program.ts';

const run = promisify(execFile);

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
  await site.configure();
});

afterAll(() => site[Symbol.asyncDispose]());

describe('a second daemon with the same store', () => {
  test('does not start, names the first, and the first goes on through a reload', async () => {
    await using first = site.start();
    const page = await first.page();
    await using second = site.start();

    const { code, stderr } = await second.ended;
    expect(code).not.toBe(0);
    expect(stderr).toContain(`process ${String(first.pid)} on `);
    first.signal('SIGHUP');
    await first.logged('configuration-reloaded');
    expect(
      await until(
        () => statusOf(page),
        (status) => status !== null,
        10_000,
      ),
    ).toMatchObject({ ready: 'ready' });
  });

  test('starts after the first was killed', async () => {
    const first = site.start();
    await first.page();
    await first.end('SIGKILL');
    await using second = site.start();

    expect(await second.page()).toMatch(/^http/u);
  });

  test('leaves report, check and a backup to others', async () => {
    await using first = site.start();
    const page = await first.page();
    await until(
      () => statusOf(page),
      (status) => status !== null,
      10_000,
    );

    const report = await run(process.execPath, [PROGRAM, 'report', '-c', 'ftm-watch.yaml', '-o', 'report.zip'], {
      cwd: site.folder,
    });
    expect(report.stdout).toContain('Wrote ');
    const check = await run(process.execPath, [PROGRAM, 'check', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
    expect(check.stdout).toContain('READY');
    const copy = join(site.folder, 'copy.sqlite');
    using db = new DatabaseSync(join(site.folder, 'data', 'ftm-watch.sqlite'), { readOnly: true });
    db.prepare('VACUUM INTO ?').run(copy);
    expect(existsSync(copy)).toBe(true);
  });
});

test('a store of a newer program is said on the page, in the metrics and by check, with the way back', async () => {
  const file = join(site.folder, 'data', 'ftm-watch.sqlite');
  {
    using db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 999');
  }
  await using daemon = site.start();
  const page = await daemon.page();
  await until(
    () => statusOf(page),
    (status) => status !== null,
    10_000,
  );

  const said = 'The history has version 999';
  expect(await (await fetch(page)).text()).toContain(said);
  expect(JSON.stringify(daemon.log)).toContain(said);
  const metrics = await metricsOf(page);
  expect([valueIn(metrics, 'ftm_store_newer'), valueIn(metrics, 'ftm_store_writable')]).toEqual([1, 0]);
  const check = await runFtmWatch(['check', '-c', 'ftm-watch.yaml', '--json'], { cwd: site.folder });
  expect(check.exitCode).toBe(1);
  expect(check.stderr).toContain(said);
  expect(JSON.parse(check.stdout)).toMatchObject({ ready: 'ready' });
});
