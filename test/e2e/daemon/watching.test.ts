import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { sendOverTcp } from '../../../src/demo/lab/appliance-log.ts';
import { emailBy, createMailServer } from '../../support/mail/mail-server.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import type { LogLine } from '../../../src/demo/daemon.ts';
import { until } from '../../support/time/until.ts';

const EACH_SECOND = '* * * * * *';
/** A single line is sufficient, because nobody but the unit connects from its address. */
const FROM_UNIT = {
  appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
  logs: { syslog: { tcp: '127.0.0.1:0' } },
};

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

beforeEach(() => rm(join(site.folder, 'data'), { recursive: true, force: true }));

function roundDone(daemon: DaemonProcess): Promise<unknown> {
  return expect.poll(() => daemon.status()).not.toBeNull();
}

async function stateOfPolling(daemon: DaemonProcess): Promise<string | undefined> {
  return (await daemon.status())?.preconditions.find(({ id }) => id === 'polling')?.state;
}

function timeOf({ time }: LogLine): number {
  return new Date(String(time)).getTime();
}

describe('a log line of FortiAuthenticator', () => {
  test('is on the page within 5 s, with the schedule far away', async () => {
    await site.configure(FROM_UNIT);
    await using daemon = site.start();
    await roundDone(daemon);
    expect(await stateOfPolling(daemon)).toBe('unknown');
    await sendOverTcp(await daemon.syslogTcpPort(), POLLING_ERROR_LINE);
    await expect.poll(() => stateOfPolling(daemon), { timeout: 5_000 }).toBe('broken');
    expect((await daemon.status())?.causes).toMatchObject([{ id: 'polling-failing' }]);
    const errors = 'ftm_polling_errors_total{appliance="fac-1",signature="ftm-polling-timeout"}';
    expect(await daemon.value(errors)).toBe(1);
  });

  test('is confirmed by two rounds one after the other when a followed file got it before the start', async () => {
    const file = join(site.folder, 'fac.log');
    // rsyslog's default format.
    const line = (message: string): string => `${new Date().toISOString()} fac-1 db[16987]: ${message}\n`;
    const [, error = ''] = POLLING_ERROR_LINE.split('db[16987]:  ');
    await writeFile(file, line(error.replace('FTM polling error', 'Local user login')));
    await site.configure({ logs: { files: ['fac.log'] } });
    await using before = site.start();
    await roundDone(before);
    await before.end('SIGTERM');
    await appendFile(file, line(error));
    await using daemon = site.start();
    const opened = await daemon.logged('incident-changed');
    expect(opened).toMatchObject({ transition: 'opened', cause: 'polling-failing' });
    expect(timeOf(opened) - timeOf(await daemon.logged('page-served'))).toBeGreaterThan(2_000);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('is remembered after %s', async (signal) => {
    await site.configure(FROM_UNIT);
    await using daemon = site.startProcess();
    await sendOverTcp(await daemon.syslogTcpPort(), POLLING_ERROR_LINE);
    const kept = () => readFile(join(site.folder, 'data', 'polling.json'), 'utf8').catch(() => '');
    await (signal === 'SIGKILL'
      ? until(kept, (text) => text.includes('ftm-polling-timeout'), 20_000)
      : daemon.diagnosis(() => true));
    await daemon.end(signal);
    await using again = site.start();
    await expect.poll(() => stateOfPolling(again)).toBe('broken');
    expect(await again.value('ftm_polling_last_error_timestamp_seconds{appliance="fac-1"}')).toBeGreaterThan(1e9);
  });

  test.each(['{"version":2}', '{', '', '{"version":1,"bucketMs":0,"appliances":{},"firewall":[]}', 'null'])(
    'a memory that says %j is none, and no trouble',
    async (text) => {
      await site.configure({ logs: { syslog: { tcp: '127.0.0.1:0' } } });
      await using first = site.start();
      await roundDone(first);
      await first.end('SIGTERM');
      await writeFile(join(site.folder, 'data', 'polling.json'), text);
      await using daemon = site.start();
      // The daemon waits for the first line, as it does without a saved state.
      await expect.poll(() => stateOfPolling(daemon)).toBe('unknown');
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    },
  );
});

test('an incident goes on after kill -9, and is not told again', async () => {
  await using sink = await createMailServer();
  await site.configure({
    schedule: { probes: EACH_SECOND },
    licenseServer: { host: 'license.example.test', port: 1, expectedAddresses: ['127.0.0.0/8'] },
    notify: { email: emailBy(sink) },
  });
  {
    await using daemon = site.startProcess();
    // The mail was acknowledged, and that was recorded.
    await daemon.logged('notification-delivered');
    await daemon.end('SIGKILL');
  }
  await using again = site.start();
  // The cause is active immediately.
  expect(await again.value('ftm_cause_active{cause="egress-blocked",severity="critical"}')).toBe(1);
  const runs = 'ftm_probe_runs_total{probe="tcp",target="license.example.test:1"}';
  await expect.poll(() => again.value(runs)).toBeGreaterThanOrEqual(4);
  expect(await again.openIncidents()).toHaveLength(1);
  // The other mail is about the crash.
  expect(sink.mails.map(({ headers }) => headers.get('x-ftm-watch-event'))).toEqual(['firing', 'restart']);
});

test('a daemon that runs a round each second keeps its handles, its listeners and its log in bounds', async () => {
  const logs = { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' } };
  await site.configure({ schedule: { probes: EACH_SECOND }, logs });
  await using daemon = site.startProcess();
  const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
  const openFiles = async (): Promise<number> => (await readdir(`/proc/${String(daemon.pid)}/fd`)).length;
  await expect.poll(() => daemon.value(runs)).toBeGreaterThanOrEqual(5);
  const early = await openFiles();
  await expect.poll(() => daemon.value(runs)).toBeGreaterThanOrEqual(15);
  expect(await openFiles()).toBeLessThanOrEqual(early + 8);
  expect(daemon.log.map(({ event }) => event)).toEqual([
    'starting',
    'log-listening',
    'page-served',
    'no-channel',
    'configuration-warning',
    'activation-ready',
  ]);
  // A MaxListenersExceededWarning would be in stderr.
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
});
