import { execFileSync, spawnSync } from 'node:child_process';
import { rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { runHere } from '../../support/process/command-line.ts';
import { type PluginOutput, readPluginOutput } from '../../support/monitoring/plugin-output.ts';
import { createPrtgSensor } from '../../support/monitoring/prtg-sensor.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { PROGRAM } from '../../support/process/program.ts';

const PLUGINS = '/usr/lib/nagios/plugins';
/** Prints performance data as Perl's plugin library parses it, one `label=value unit` per line. */
const PERL = `
  print map { join("", $_->label, "=", $_->value, $_->uom // "", "\\n") }
    Monitoring::Plugin::Performance->parse_perfstring($ARGV[0]);
`;

let daemon: DaemonProcess;

const site = await createDaemonBench();

beforeAll(async () => {
  await site.configure({ logs: { syslog: { udp: '127.0.0.1:0' } } });
  daemon = site.startProcess();
  await sendLines(await daemon.syslogPort(), [POLLING_ERROR_LINE]);
  await until(
    () => daemon.status(),
    (status) => status?.causes.some(({ id }) => id === 'polling-failing') === true,
    15_000,
  );
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function nagios(): Promise<PluginOutput & { readonly exitCode: number | null; readonly line: string }> {
  const run = await runHere(['check', '--nagios', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
  expect(run.stderr).toBe('');
  return { ...readPluginOutput(run.stdout), exitCode: run.exitCode, line: run.stdout };
}

test('counts what only the daemon has heard', async () => {
  const { status, exitCode, text } = await nagios();
  expect({ status, exitCode }).toEqual({ status: 'WARNING', exitCode: 1 });
  expect(text).toMatch(/^.*unnamed: The FortiToken Mobile licence server/u);
  const errors = { id: 'polling-errors', subject: 'unnamed', value: 1, unit: 'errors' };
  expect((await daemon.status())?.quantities).toContainEqual(errors);
});

describeWhere([{ program: 'perl' }], 'others', () => {
  test('read the performance data', async () => {
    const { line, data } = await nagios();
    const [, text = ''] = line.split(' | ');
    const read = execFileSync('perl', ['-MMonitoring::Plugin::Performance', '-e', PERL, text], { encoding: 'utf8' });
    expect(
      read
        .trim()
        .split('\n')
        .map((one) => one.split('=')[0]),
    ).toEqual([...data.keys()]);
    expect(read).toContain('causes_warning=1\n');
    expect(read).toMatch(/^round_age=[\d.]+s$/mu);
  });

  test('understand status and exit code, as negate of the monitoring plugins does', () => {
    const plugin = [process.execPath, PROGRAM, 'check', '--nagios', '-c', 'ftm-watch.yaml'];
    const { status, stdout } = spawnSync(join(PLUGINS, 'negate'), ['-s', '-t', '60', '-w', 'CRITICAL', ...plugin], {
      cwd: site.folder,
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stdout).toMatch(/^FTM CRITICAL: /u);
  });
});

test('looks itself when the daemon is gone, and says so', async () => {
  await daemon.end('SIGTERM');
  const { status, exitCode, text, data } = await nagios();
  expect({ status, exitCode }).toEqual({ status: 'OK', exitCode: 0 });
  expect(text).toContain('no daemon is running');
  expect(data.has('incidents_open')).toBe(false);
});

function socket(): string {
  return join(site.folder, 'data/ftm-watch.sqlite.sock');
}

describe('a daemon that does not answer', () => {
  test('is reported as suspended, even when its backlog is full', async () => {
    await using suspended = site.startProcess();
    await suspended.page();
    suspended.signal('SIGSTOP');
    const problem = `ftm-watch (process ${String(suspended.pid)}) does not answer; it may be suspended`;
    const started = performance.now();
    expect(await nagios()).toMatchObject({ status: 'UNKNOWN', exitCode: 3, text: problem });
    expect(performance.now() - started).toBeLessThan(10_000);
    const list = await runHere(['silence', 'list', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
    expect(list).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(problem) });

    const waiting = Array.from({ length: 600 }, () => connect(socket()));
    for (const one of waiting) one.on('error', () => undefined);
    const full = performance.now();
    expect(await nagios()).toMatchObject({ exitCode: 3, text: problem });
    expect(performance.now() - full).toBeLessThan(5_000);
    for (const one of waiting) one.destroy();
    suspended.signal('SIGCONT');
  });

  test('is reported as not running after it was killed, with systemd too', async () => {
    const killed = site.startProcess();
    await killed.page();
    await killed.end('SIGKILL');
    const problem = /^ftm-watch is not running/u;
    expect(await nagios()).toMatchObject({ exitCode: 3, text: expect.stringMatching(problem) });
    const prtg = await runHere(['check', '--prtg', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
    expect(prtg.exitCode).toBe(0);
    expect(createPrtgSensor(new Map()).scan(prtg.stdout)).toMatchObject({
      state: 'Down',
      message: expect.stringMatching(problem),
    });

    await rm(socket());
    await symlink(join(site.folder, 'none', 'control.sock'), socket());
    expect(await nagios()).toMatchObject({ exitCode: 3, text: expect.stringMatching(problem) });
    await rm(socket());
    expect(await nagios()).toMatchObject({ exitCode: 0 });
  });
});
