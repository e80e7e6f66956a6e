import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDaemonBench, statusOf, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { type PluginOutput, readPluginOutput } from '../../support/monitoring/plugin-output.ts';
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

let site: DaemonBench;
let daemon: DaemonProcess;

beforeAll(async () => {
  site = await createDaemonBench();
  await site.configure({ logs: { syslog: { udp: '127.0.0.1:0' } } });
  daemon = site.start();
  const page = await daemon.page();
  await sendLines(await daemon.syslogPort(), [POLLING_ERROR_LINE]);
  await until(
    () => statusOf(page),
    (status) => status?.causes.some(({ id }) => id === 'polling-failing') === true,
    15_000,
  );
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function nagios(): Promise<PluginOutput & { readonly exitCode: number | null; readonly line: string }> {
  const run = await runFtmWatch(['check', '--nagios', '-c', 'ftm-watch.yaml'], { cwd: site.folder });
  expect(run.stderr).toBe('');
  return { ...readPluginOutput(run.stdout), exitCode: run.exitCode, line: run.stdout };
}

test('counts what only the daemon has heard', async () => {
  const { status, exitCode, text } = await nagios();
  expect({ status, exitCode }).toEqual({ status: 'WARNING', exitCode: 1 });
  expect(text).toMatch(/^.*unnamed: The FortiToken Mobile licence server/u);
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
