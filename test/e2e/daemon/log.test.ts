import { spawn } from 'node:child_process';
import { globSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { PROGRAM } from '../../support/process/program.ts';

/** Sets JOURNAL_STREAM to standard output, as systemd does. */
const JOURNAL = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/$$/fd/1) exec "$0" "$@"';

const site = await createDaemonBench();

beforeAll(async () => {
  await site.configure();
});
afterAll(() => site[Symbol.asyncDispose]());

function processesIn(folder: string): readonly string[] {
  return globSync('/proc/[0-9]*/cwd').filter((link) => {
    try {
      return readlinkSync(link) === folder;
    } catch {
      // The process has ended in the meantime.
      return false;
    }
  });
}

/** Returns what the daemon has written by the time its page is up. Then the daemon or its terminal is stopped. */
async function logOf(prefix: readonly string[], signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
  const [command, ...rest] = [...prefix, process.execPath, PROGRAM, 'run', '-c', 'ftm-watch.yaml'];
  const { PATH, TZ } = process.env;
  const daemon = spawn(command, rest, {
    cwd: site.folder,
    env: { PATH, TZ, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let log = '';
  daemon.stdout.setEncoding('utf8');
  for await (const text of daemon.stdout) {
    log += String(text);
    if (/Serving the status page[^\n]*\n/u.test(log)) break;
  }
  daemon.kill(signal);
  await until(
    () => Promise.resolve(processesIn(site.folder)),
    (processes) => processes.length === 0,
    10_000,
  );
  return log.replaceAll('\r', '');
}

describeWhere(['linux', { program: 'script' }], 'the log', () => {
  test('is for people in a terminal, and names the address of the page; the daemon ends when that closes', async () => {
    expect(await logOf(inTerminal(80), 'SIGKILL')).toMatch(
      /^\d\d:\d\d:\d\d Starting {2}version=.*\n\d\d:\d\d:\d\d Serving the status page {2}url=http:\/\/127\.0\.0\.1:\d+\/$/msu,
    );
  });

  test('is JSON with the names of the levels elsewhere, also where a stream of the journal was replaced', async () => {
    for (const prefix of [[], ['env', 'JOURNAL_STREAM=1:2']]) {
      const [first = ''] = (await logOf(prefix)).split('\n');
      expect(JSON.parse(first)).toMatchObject({ level: 'info', event: 'starting' });
    }
  });

  test('tells the journal its priorities', async () => {
    const lines = (await logOf(['sh', '-c', JOURNAL])).trim().split('\n');

    expect(lines[0]).toMatch(/^<6>\{"level":"info",.*"msg":"Starting"\}$/u);
    expect(lines.every((line) => /^<\d>\{/u.test(line))).toBe(true);
  });
});
