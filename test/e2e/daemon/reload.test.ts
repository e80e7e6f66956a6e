import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import {
  createDaemonBench,
  metricsOf,
  statusOf,
  valueIn,
  type DaemonBench,
} from '../../support/process/daemon-bench.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 10_000;
const TAKEN = 'configuration-reloaded';
const REFUSED = 'configuration-rejected';

let site: DaemonBench;
let daemon: DaemonProcess;
let page: string;

beforeAll(async () => {
  site = await createDaemonBench();
});

afterAll(() => site[Symbol.asyncDispose]());

beforeEach(async () => {
  // Log state from one test must not be visible in the next.
  await rm(join(site.folder, 'data'), { recursive: true, force: true });
  await site.configure({ site: 'first', logs: { syslog: { udp: '127.0.0.1:0' } } });
  await using stack = new AsyncDisposableStack();
  daemon = stack.use(site.start());
  page = await daemon.page();
  const running = stack.move();
  return () => running.disposeAsync();
});

function siteIs(name: string): Promise<unknown> {
  return until(
    () => statusOf(page),
    (status) => status?.site === name,
    WITHIN,
  );
}

async function reload(): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${page}/-/reload`, { method: 'POST' });
  return { status: response.status, text: await response.text() };
}

/** Returns the time of the round that the page shows. */
async function asOf(): Promise<string> {
  const text = await (await fetch(`${page}/`)).text();
  return /asof">.*?<br>([^<]*)</u.exec(text)?.[1] ?? 'no round yet';
}

function times(event: string): number {
  return daemon.log.filter((line) => line.event === event).length;
}

describe('a changed file', () => {
  test('is taken on SIGHUP', async () => {
    await siteIs('first');
    await site.configure({ site: 'second' });
    daemon.signal('SIGHUP');
    await siteIs('second');
    expect(times(TAKEN)).toBe(1);
  });

  test('with another time zone gives its times to the page at once', async () => {
    await siteIs('first');
    expect(await asOf()).toMatch(/^[\d-]+ [\d:]+ UTC$/u);
    await site.configure({ site: 'first', timezone: 'Asia/Kathmandu' });
    expect(await reload()).toMatchObject({ status: 200 });
    await siteIs('first');
    expect(await asOf()).toMatch(/^[\d-]+ [\d:]+ \+05:45 \((?:[\d-]+ )?[\d:]+ UTC\)$/u);
  });

  test('is taken when asked for over HTTP, and said once', async () => {
    await site.configure({ site: 'second' });
    expect(await reload()).toEqual({ status: 200, text: 'Configuration reloaded\n' });
    await siteIs('second');
    expect(times(TAKEN)).toBe(1);
    const said = daemon.log.filter(({ event }) => /^configuration-(?!warning)/u.test(event));
    expect(said).toHaveLength(1);
  });

  test('is taken when SIGHUP comes before the start is done', async () => {
    await site.configure({ site: 'first', store: { path: 'early/ftm-watch.sqlite' } });
    await using early = site.start();
    await early.logged('starting');
    early.signal('SIGHUP');
    expect(await early.logged(TAKEN)).toBeDefined();
  });

  test('forgets the targets that are gone, and keeps counting', async () => {
    await site.configure({ site: 'first', services: [{ name: 'push', host: '127.0.0.1', port: site.port }] });
    await reload();
    const success = `ftm_probe_success{probe="tcp",target="127.0.0.1:${String(site.port)}"}`;
    const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
    await until(
      () => metricsOf(page),
      (metrics) => valueIn(metrics, success) === 1,
      WITHIN,
    );
    const before = valueIn(await metricsOf(page), runs);
    await site.configure({ site: 'second' });
    await reload();
    await siteIs('second');
    const metrics = await metricsOf(page);
    expect(valueIn(metrics, success)).toBeNaN();
    expect(valueIn(metrics, runs)).toBeGreaterThan(before);
  });

  test('neither loses nor doubles log lines that were counted', async () => {
    const counted = 'ftm_log_lines_total{source="udp",result="ftm"}';
    const port = await daemon.syslogPort();
    const logs = { syslog: { udp: `127.0.0.1:${String(port)}` } };
    for (const { name, lines, sum } of [
      { name: 'second', lines: 3, sum: 3 },
      { name: 'third', lines: 7, sum: 10 },
    ]) {
      await sendLines(
        port,
        Array.from({ length: lines }, () => POLLING_ERROR_LINE),
      );
      await until(
        () => metricsOf(page),
        (metrics) => valueIn(metrics, counted) === sum,
        WITHIN,
      );
      await site.configure({ site: name, logs });
      expect((await reload()).status).toBe(200);
    }
    expect(valueIn(await metricsOf(page), counted)).toBe(10);
    expect(valueIn(await metricsOf(page), counted)).toBe(10);
  });

  test('keeps what the log has said', async () => {
    await siteIs('first');
    await sendLines(await daemon.syslogPort(), [POLLING_ERROR_LINE]);
    const polling = () =>
      statusOf(page).then((status) => status?.preconditions.find(({ id }) => id === 'polling')?.state);
    await until(polling, (state) => state === 'warning', WITHIN);
    await site.configure({ site: 'second', logs: { syslog: { udp: '127.0.0.1:0' } } });
    await reload();
    await siteIs('second');
    expect(await polling()).toBe('warning');
  });
});

describe('a bad file', () => {
  test('keeps the old configuration, and each mistake is told with its line', async () => {
    await siteIs('first');
    await writeFile(join(site.folder, 'ftm-watch.yaml'), 'site: third\nwebb: {}\nlogs: { window: soon }\n');
    const { status, text } = await reload();
    expect(status).toBe(422);
    expect(text).toMatch(/ftm-watch\.yaml:2.*webb/u);
    expect(text).toMatch(/ftm-watch\.yaml:3.*soon/u);
    expect((await statusOf(page))?.site).toBe('first');
    expect(valueIn(await metricsOf(page), 'ftm_config_last_reload_successful')).toBe(0);
    const [{ problems } = { problems: [] }] = daemon.log.filter(({ event }) => event === REFUSED);
    expect(problems).toHaveLength(2);
    await site.configure({ site: 'second' });
    expect((await reload()).status).toBe(200);
    expect(valueIn(await metricsOf(page), 'ftm_config_last_reload_successful')).toBe(1);
  });

  test('on SIGHUP shows in the log and in the metric', async () => {
    await siteIs('first');
    const timeOfSuccess = valueIn(await metricsOf(page), 'ftm_config_last_reload_success_timestamp_seconds');
    await writeFile(join(site.folder, 'ftm-watch.yaml'), 'site: [');
    daemon.signal('SIGHUP');
    await daemon.logged(REFUSED);
    const metrics = await metricsOf(page);
    expect(valueIn(metrics, 'ftm_config_last_reload_successful')).toBe(0);
    expect(valueIn(metrics, 'ftm_config_last_reload_success_timestamp_seconds')).toBe(timeOfSuccess);
    expect(await (await fetch(`${page}/`)).text()).toMatch(/The last reload was rejected/u);
  });

  test('that names a file which is not there changes nothing', async () => {
    await siteIs('first');
    await site.configure({ site: 'second', trust: { profile: 'pinned', caFiles: ['gone.pem'] } });
    expect((await reload()).status).toBe(422);
    expect((await statusOf(page))?.site).toBe('first');
  });
});

describe('a port', () => {
  test('for log lines that is taken keeps the old configuration watching', async () => {
    await siteIs('first');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await site.configure({ site: 'second', logs: { syslog: { tcp: `127.0.0.1:${String(port)}` } } });
    const { status, text } = await reload();
    taken.close();
    expect(status).toBe(422);
    expect(text).toContain(`127.0.0.1:${String(port)}`);
    await siteIs('first');
    // The daemon listens again, and a line starts a round.
    const { udp } = (await daemon.logged('log-listening', 1)) as { readonly udp?: { readonly port: number } };
    await sendLines(udp?.port ?? 0, [POLLING_ERROR_LINE]);
    await until(
      () => statusOf(page),
      (now) => now?.preconditions.some(({ id, state }) => id === 'polling' && state === 'warning') ?? false,
      WITHIN,
    );
  });

  test('of the page that changed moves it', async () => {
    const port = await freePort();
    await site.configure({ site: 'second', web: { localReload: true, listen: `127.0.0.1:${String(port)}` } });
    expect((await reload()).status).toBe(200);
    const moved = String((await daemon.logged('page-served', 1))['url']);
    expect(moved).toBe(`http://127.0.0.1:${String(port)}/`);
    expect((await fetch(moved)).status).toBe(200);
    await until(
      () =>
        fetch(page).then(
          () => 'answers',
          () => 'gone',
        ),
      (answer) => answer === 'gone',
      WITHIN,
    );
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });

  test('of the page that is taken refuses the whole file', async () => {
    await siteIs('first');
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await site.configure({ site: 'second', web: { localReload: true, listen: `127.0.0.1:${String(port)}` } });
    const { status, text } = await reload();
    taken.close();
    expect(status).toBe(422);
    expect(text).toContain(`127.0.0.1:${String(port)}`);
    expect((await statusOf(page))?.site).toBe('first');
  });

  test('of the page that stays is served again on the same port', async () => {
    const port = await freePort();
    await site.configure({ site: 'second', web: { localReload: true, listen: `127.0.0.1:${String(port)}` } });
    await reload();
    page = String((await daemon.logged('page-served', 1))['url']).replace(/\/$/u, '');
    await site.configure({ site: 'third', web: { localReload: true, listen: `0.0.0.0:${String(port)}` } });
    expect((await reload()).status).toBe(200);
    expect((await daemon.logged('page-served', 2))['url']).toBe(`http://0.0.0.0:${String(port)}/`);
    await siteIs('third');
  });

  test('of the page that stays, with a certificate that is none, goes on as before', async () => {
    const port = await freePort();
    const listen = `127.0.0.1:${String(port)}`;
    await site.configure({ site: 'second', web: { localReload: true, listen } });
    await reload();
    page = String((await daemon.logged('page-served', 1))['url']).replace(/\/$/u, '');
    await writeFile(join(site.folder, 'none.pem'), 'none');
    await site.configure({ site: 'third', web: { listen, tls: { certFile: 'none.pem', keyFile: 'none.pem' } } });
    expect((await reload()).status).toBe(422);
    await daemon.logged(REFUSED);
    expect(valueIn(await metricsOf(page), 'ftm_config_last_reload_successful')).toBe(0);
  });
});

test('asked for many times at once, it is done and answered', async () => {
  await site.configure({ site: 'second' });
  const answers = await Promise.all(Array.from({ length: 10 }, reload));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await siteIs('second');
  expect(times(TAKEN)).toBeLessThanOrEqual(3);
});
