import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { sendOverTcp } from '../../../src/demo/lab/appliance-log.ts';
import {
  createDaemonBench,
  metricsOf,
  costliestAnswer,
  statusOf,
  valueIn,
  type DaemonBench,
} from '../../support/process/daemon-bench.ts';
import type { LogLine } from '../../../src/demo/daemon.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { createTlsPeer } from '../../support/network/tls-peer.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 10_000;
const EACH_SECOND = '* * * * * *';
/** A single line is sufficient, because nobody but the unit connects from its address. */
const FROM_UNIT = {
  appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
  logs: { syslog: { tcp: '127.0.0.1:0' } },
};

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
});

afterAll(() => site[Symbol.asyncDispose]());

beforeEach(async () => {
  await rm(join(site.folder, 'data'), { recursive: true, force: true });
});

async function roundDone(page: string): Promise<void> {
  await until(
    () => statusOf(page),
    (status) => status !== null,
    WITHIN,
  );
}

function stateOf(page: string, precondition: string): Promise<string | undefined> {
  return statusOf(page).then((status) => status?.preconditions.find(({ id }) => id === precondition)?.state);
}

function timeOf({ time }: LogLine): number {
  return new Date(String(time)).getTime();
}

describe('a log line of FortiAuthenticator', () => {
  test('is on the page within 5 s, with the schedule far away', async () => {
    await site.configure(FROM_UNIT);
    await using daemon = site.start();
    const page = await daemon.page();
    await roundDone(page);
    expect(await stateOf(page, 'polling')).toBe('unknown');
    await sendOverTcp(await daemon.syslogTcpPort(), POLLING_ERROR_LINE);
    await until(
      () => stateOf(page, 'polling'),
      (state) => state === 'broken',
      5_000,
    );
    expect((await statusOf(page))?.causes).toMatchObject([{ id: 'polling-failing' }]);
    expect(
      valueIn(await metricsOf(page), 'ftm_polling_errors_total{appliance="fac-1",signature="ftm-polling-timeout"}'),
    ).toBe(1);
  });

  test('is confirmed by two rounds one after the other when a followed file got it before the start', async () => {
    const file = join(site.folder, 'fac.log');
    // rsyslog's default format.
    const line = (message: string): string => `${new Date().toISOString()} fac-1 db[16987]: ${message}\n`;
    const [, error = ''] = POLLING_ERROR_LINE.split('db[16987]:  ');
    await writeFile(file, line(error.replace('FTM polling error', 'Local user login')));
    await site.configure({ logs: { files: ['fac.log'] } });
    await using before = site.start();
    await roundDone(await before.page());
    await before.end('SIGTERM');
    await appendFile(file, line(error));
    await using daemon = site.start();
    const opened = await daemon.logged('incident-changed');
    expect(opened).toMatchObject({ transition: 'opened', cause: 'polling-failing' });
    expect(timeOf(opened) - timeOf(await daemon.logged('page-served'))).toBeGreaterThan(2_000);
  });

  test('is remembered over a restart, and over a crash', async () => {
    await site.configure(FROM_UNIT);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await rm(join(site.folder, 'data'), { recursive: true, force: true });
      await using daemon = site.start();
      await sendOverTcp(await daemon.syslogTcpPort(), POLLING_ERROR_LINE);
      const file = join(site.folder, 'data', 'polling.json');
      if (signal === 'SIGKILL')
        await until(
          () => readFile(file, 'utf8').catch(() => ''),
          (text) => text.includes('ftm-polling-timeout'),
          WITHIN,
        );
      else await roundDone(await daemon.page());
      await daemon.end(signal);
      await using again = site.start();
      const page = await again.page();
      await roundDone(page);
      expect(await stateOf(page, 'polling')).toBe('broken');
      expect(
        valueIn(await metricsOf(page), 'ftm_polling_last_error_timestamp_seconds{appliance="fac-1"}'),
      ).toBeGreaterThan(1e9);
    }
  });

  test.each(['{"version":2}', '{', '', '{"version":1,"bucketMs":0,"appliances":{},"firewall":[]}', 'null'])(
    'a memory that says %j is none, and no trouble',
    async (text) => {
      await site.configure({ logs: { syslog: { tcp: '127.0.0.1:0' } } });
      await using first = site.start();
      await roundDone(await first.page());
      await first.end('SIGTERM');
      await writeFile(join(site.folder, 'data', 'polling.json'), text);
      await using daemon = site.start();
      const page = await daemon.page();
      await roundDone(page);
      // The daemon waits for the first line, as it does without a saved state.
      expect(await stateOf(page, 'polling')).toBe('unknown');
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    },
  );
});

describe('a flood of log lines', () => {
  test('leaves the probes on schedule and the page answering', async () => {
    await site.configure({ schedule: { probes: EACH_SECOND }, logs: { syslog: { udp: '127.0.0.1:0' } } });
    await using daemon = site.start();
    const page = await daemon.page();
    const port = await daemon.syslogPort();
    await roundDone(page);
    const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
    const before = valueIn(await metricsOf(page), runs);
    let done = false;
    const flood = sendLines(
      port,
      Array.from({ length: 200_000 }, () => POLLING_ERROR_LINE),
    ).finally(() => {
      done = true;
    });
    const costliest = await costliestAnswer(
      daemon,
      () => metricsOf(page),
      () => done,
    );
    await flood;
    expect(costliest).toBeLessThan(2_000);
    const after = await until(
      () => metricsOf(page),
      (metrics) => valueIn(metrics, runs) - before >= 3,
      30_000,
    );
    // On a busy machine, a round lasts longer than a second, and one that is due then is left out.
    expect(valueIn(after, 'ftm_schedule_missed_runs_total')).toBeLessThanOrEqual(valueIn(after, runs));
    // Many datagrams at the same time only raise a suspicion. A slow machine may spread them over a longer time.
    expect(['warning', 'broken']).toContain(await stateOf(page, 'polling'));
    expect(after).not.toContain('SSL session failed');
  });
});

describe('a process that stood still in the middle of a round', () => {
  test('judges nothing by it, blames nobody, and looks again', async () => {
    // The licence server delays its answer, so that the process can be stopped in the middle of a round.
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await using server = await createTlsPeer({
      chain: [site.bench.hierarchy.leaf, site.bench.hierarchy.intermediate],
      serve: (socket) => {
        socket.once('data', () => {
          asked.resolve();
          void held.promise.then(() =>
            socket.end(`HTTP/1.1 404 Not Found\r\nDate: ${new Date().toUTCString()}\r\nContent-Length: 0\r\n\r\n`),
          );
        });
      },
    });
    await site.configure({
      licenseServer: { host: 'license.example.test', port: server.port, expectedAddresses: ['127.0.0.0/8'] },
    });
    await using daemon = site.start();
    const page = await daemon.page();
    await asked.promise;
    daemon.signal('SIGSTOP');
    await setTimeout(4_500);
    daemon.signal('SIGCONT');
    const line = await daemon.logged('activation-unknown');
    expect(line).toMatchObject({ ready: 'unknown', causes: [] });
    const metrics = await metricsOf(page);
    expect(valueIn(metrics, 'ftm_activation_ready')).toBeNaN();
    expect(metrics).toMatch(/^ftm_precondition_state\{precondition="license-server",state="unknown"\} 1$/mu);
    expect(metrics).not.toMatch(/^ftm_probe_failures_total.* [1-9]/mu);
    held.resolve();
    await until(
      () => statusOf(page),
      (status) => status?.ready === 'ready',
      WITHIN,
    );
    expect(await (await fetch(`${page}/api/v1/incidents`)).json()).toEqual({ incidents: [], complete: true });
    expect(daemon.log.map(({ event }) => event)).not.toContain('activation-not-ready');
  });
});

describe('an incident', () => {
  test('goes on after kill -9, and is not told again', async () => {
    await using sink = await createMailServer();
    const servers = [{ host: '127.0.0.1', port: sink.port, security: 'none' }];
    await site.configure({
      schedule: { probes: EACH_SECOND },
      licenseServer: { host: 'license.example.test', port: 1, expectedAddresses: ['127.0.0.0/8'] },
      notify: { email: { from: 'watch@example.org', to: ['ops@example.org'], servers } },
    });
    {
      await using daemon = site.start();
      const [mail] = await sink.arrived(1);
      expect(mail?.headers.get('x-ftm-watch-event')).toBe('firing');
      // The mail was acknowledged, and that was recorded.
      await daemon.logged('notification-delivered');
      await daemon.end('SIGKILL');
    }
    await using again = site.start();
    const page = await again.page();
    const open = 'ftm_cause_active{cause="egress-blocked",severity="critical"}';
    // The cause is active immediately.
    expect(valueIn(await metricsOf(page), open)).toBe(1);
    await until(
      () => metricsOf(page),
      (metrics) => valueIn(metrics, `ftm_probe_runs_total{probe="tcp",target="license.example.test:1"}`) >= 4,
      WITHIN,
    );
    const { incidents } = (await (await fetch(`${page}/api/v1/incidents`)).json()) as {
      readonly incidents: readonly unknown[];
    };
    expect(incidents).toHaveLength(1);
    // The other mail is about the crash.
    expect(sink.mails.map(({ headers }) => headers.get('x-ftm-watch-event'))).toEqual(['firing', 'restart']);
  });
});

describe('a daemon that runs a round each second', () => {
  test('keeps its handles, its listeners and its log in bounds', async () => {
    await site.configure({
      schedule: { probes: EACH_SECOND },
      logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' } },
    });
    await using daemon = site.start();
    const page = await daemon.page();
    const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
    const rounds = (count: number) =>
      until(
        () => metricsOf(page),
        (metrics) => valueIn(metrics, runs) >= count,
        40_000,
      );
    await rounds(5);
    const early = await openFiles(daemon);
    await rounds(20);
    expect(await openFiles(daemon)).toBeLessThanOrEqual(early + 8);
    expect(valueIn(await metricsOf(page), 'ftm_schedule_missed_runs_total')).toBeLessThan(20);
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
});

/** Linux only, like the daemon tests. */
async function openFiles({ pid }: DaemonProcess): Promise<number> {
  return (await readdir(`/proc/${String(pid)}/fd`)).length;
}
