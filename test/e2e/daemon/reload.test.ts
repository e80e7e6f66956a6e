import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { parseExposition } from '../../support/monitoring/exposition.ts';
import { freePort, takenPort, type TakenPort } from '../../support/network/free-port.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';
import type { Section } from '../../support/process/check-bench.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { type DaemonProcess, sendLines } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const TAKEN = 'configuration-reloaded';
const REFUSED = 'configuration-rejected';
const SUCCESSFUL = 'ftm_config_last_reload_successful';
const SUCCEEDED_AT = 'ftm_config_last_reload_success_timestamp_seconds';
const COUNTED = 'ftm_log_lines_total{source="udp",result="ftm"}';
/** An address that no machine has (TEST-NET-3, RFC 5737). */
const NOT_HERE = '203.0.113.7';
const UDP = { syslog: { udp: '127.0.0.1:0' } };

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

let daemon: DaemonProcess;
/** Port of the page. */
let port: number;

const web = (more: object = {}): Section => ({
  web: { localReload: true, listen: `127.0.0.1:${String(port)}`, ...more },
});

async function start(more: Section = {}): Promise<void> {
  await site.configure({ site: 'first', logs: UDP, ...web(), ...more });
  daemon = site.start();
  await siteIs('first');
}

beforeEach(async () => {
  // Log state from one test must not be visible in the next.
  await rm(join(site.folder, 'data'), { recursive: true, force: true });
  port = await freePort();
  return () => daemon[Symbol.asyncDispose]();
});

function siteIs(name: string): Promise<unknown> {
  return expect.poll(() => daemon.status()).toMatchObject({ site: name });
}

async function reload(): Promise<{ readonly status: number; readonly text: string }> {
  const response = await daemon.fetch('-/reload', { method: 'POST' });
  return { status: response.status, text: await response.text() };
}

function times(event: string): number {
  return daemon.log.filter((line) => line.event === event).length;
}

async function stateOfPolling(): Promise<string | undefined> {
  return (await daemon.status())?.preconditions.find(({ id }) => id === 'polling')?.state;
}

describe('a changed file', () => {
  test.each([
    ['on SIGHUP', async () => daemon.signal('SIGHUP')],
    ['when asked for over HTTP', async () => expect((await reload()).status).toBe(200)],
    [
      'when asked for many times at once',
      async () =>
        expect((await Promise.all(Array.from({ length: 10 }, reload))).map(({ status }) => status)).not.toContain(422),
    ],
  ])('is taken %s, and told', async (_, ask) => {
    await start();
    await site.configure({ site: 'second', ...web() });
    await ask();
    await siteIs('second');
    expect(times(TAKEN)).toBeOneOf([1, 2, 3]);
    expect(times(REFUSED)).toBe(0);
  });

  test('with another time zone gives its times to the page at once', async () => {
    await start();
    const shownTimes = async (): Promise<readonly string[]> =>
      /title="\S+ ([\d:]+) UTC"[^>]*>([\d:]+)</u.exec(await daemon.read('/'))?.slice(1) ?? [];
    const [utc, local] = await shownTimes();
    expect([utc, local]).toEqual([local, expect.any(String)]);
    await site.configure({ site: 'second', timezone: 'Asia/Kathmandu', ...web() });
    await reload();
    await siteIs('second');
    const [utcThen = '', localThen = ''] = await shownTimes();
    const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
    expect((minutes(localThen) - minutes(utcThen) + 1440) % 1440).toBe(5 * 60 + 45);
  });

  test('is taken when SIGHUP comes before the start is done', async () => {
    await start();
    await site.configure({ store: { path: 'early/ftm-watch.sqlite' } });
    await using early = site.startProcess();
    await early.logged('starting');
    early.signal('SIGHUP');
    expect(await early.logged(TAKEN)).toBeDefined();
  });

  test('forgets 190 of 200 targets and appliances, their connections and series, and keeps counting', async () => {
    // Reads, so that it detects closed connections, and sends nothing.
    await using silent = await createTcpPeer((socket) => void socket.resume(), '0.0.0.0');
    const many = (count: number): Section => {
      const numbers = Array.from({ length: count }, (_, index) => index);
      return {
        services: numbers.map((number) => ({
          name: `service-${String(number)}`,
          host: `127.2.0.${String(number + 1)}`,
          port: silent.port,
        })),
        appliances: numbers.map((number) => ({ name: `fac-${String(number)}` })),
      };
    };
    const series = async (): Promise<readonly string[]> => {
      const all = parseExposition(await daemon.read('metrics'));
      return [...new Set(all.flatMap(({ labels: { target, appliance } }) => target ?? appliance ?? []))];
    };
    const runs = `ftm_probe_runs_total{probe="tcp",target="license.example.test:${String(site.port)}"}`;
    await site.configure({ ...web(), ...many(200) });
    daemon = site.start();
    await expect.poll(() => silent.seen).toBeGreaterThanOrEqual(50);
    expect((await series()).length).toBeGreaterThanOrEqual(400);
    const before = await daemon.value(runs);
    await site.configure({ site: 'second', ...web(), ...many(10) });
    daemon.signal('SIGHUP');
    await daemon.logged(TAKEN);
    await expect.poll(() => silent.open).toBeLessThanOrEqual(10);
    const left = await series();
    for (const ours of ['127.2.', 'fac-']) expect(left.filter((name) => name.startsWith(ours))).toHaveLength(10);
    await expect.poll(() => daemon.value(runs)).toBeGreaterThan(before);
  });

  test('neither loses nor doubles log lines that were counted, nor what they have said', async () => {
    const udp = await freePort();
    const logs = { syslog: { udp: `127.0.0.1:${String(udp)}` } };
    await start({ logs });
    for (const { name, lines, sum } of [
      { name: 'second', lines: 3, sum: 3 },
      { name: 'third', lines: 7, sum: 10 },
    ]) {
      await sendLines(
        udp,
        Array.from({ length: lines }, () => POLLING_ERROR_LINE),
      );
      await expect.poll(() => daemon.value(COUNTED)).toBe(sum);
      await expect.poll(stateOfPolling).toBe('warning');
      await site.configure({ site: name, logs, ...web() });
      expect((await reload()).status).toBe(200);
      await siteIs(name);
    }
    expect([await daemon.value(COUNTED), await stateOfPolling()]).toEqual([10, 'warning']);
  });
});

test('a port that another process uses is found before anything is closed', async () => {
  await using taken = await takenPort();
  await site.configure({ site: 'first', ...web() });
  daemon = site.startProcess();
  await siteIs('first');
  await site.configure({ site: 'second', ...web(), logs: { syslog: { tcp: taken.listen } } });
  const { status, text } = await reload();
  expect([status, text]).toEqual([422, expect.stringContaining(taken.listen)]);
  expect(times('page-served')).toBe(1);
  await siteIs('first');
});

interface Refusal {
  readonly what: string;
  /** The sections, or the text of the whole file. */
  readonly config: (taken: TakenPort) => Section | string;
  /** What each problem contains. */
  readonly problems: readonly (string | RegExp)[];
}

const none = { certFile: 'none.pem', keyFile: 'none.pem' };
const REFUSALS: readonly Refusal[] = [
  {
    what: 'a file with mistakes',
    config: () => 'site: third\nwebb: {}\nlogs: { window: soon }\n',
    problems: [/ftm-watch\.yaml:2.*webb/u, /ftm-watch\.yaml:3.*soon/u],
  },
  { what: 'a file that no parser reads', config: () => 'site: [', problems: [/ftm-watch\.yaml:1/u] },
  {
    what: 'a file that names one which is not there',
    config: () => ({ trust: { profile: 'pinned', caFiles: ['gone.pem'] } }),
    problems: ['gone.pem'],
  },
  {
    what: 'a port for log lines that is taken',
    config: ({ listen }) => ({ logs: { syslog: { tcp: listen } } }),
    problems: [/127\.0\.0\.1:\d+/u],
  },
  {
    what: 'a port of the page that is taken',
    config: ({ listen }) => web({ listen }),
    problems: [/127\.0\.0\.1:\d+/u],
  },
  {
    what: 'a page at the address of another machine',
    config: () => web({ listen: `${NOT_HERE}:${String(port)}` }),
    problems: [NOT_HERE],
  },
  { what: 'a page whose certificate is none', config: () => web({ tls: none }), problems: ['none.pem'] },
];

describe('a reload that is refused keeps the old configuration watching and listening, and says why:', () => {
  test.each(REFUSALS)('$what', async ({ config, problems }) => {
    await using taken = await takenPort();
    await writeFile(join(site.folder, 'none.pem'), 'none');
    await start();
    const succeededAt = await daemon.value(SUCCEEDED_AT);
    const wanted = config(taken);
    if (typeof wanted === 'string') await writeFile(join(site.folder, 'ftm-watch.yaml'), wanted);
    else await site.configure({ site: 'second', ...web(), ...wanted });

    const { status, text } = await reload();
    expect(status).toBe(422);
    for (const problem of problems) expect(text).toMatch(problem);
    const told = await daemon.logged(REFUSED);
    expect([times(REFUSED), told['problems']]).toEqual([1, problems.map(() => expect.any(String))]);
    await siteIs('first');
    expect([await daemon.value(SUCCESSFUL), await daemon.value(SUCCEEDED_AT)]).toEqual([0, succeededAt]);
    const listening = daemon.log.findLast(({ event }) => event === 'log-listening');
    await sendLines((listening as unknown as { udp: { port: number } }).udp.port, [POLLING_ERROR_LINE]);
    await expect.poll(() => daemon.value(COUNTED)).toBe(1);

    await site.configure({ site: 'third', web: { listen: `0.0.0.0:${String(port)}` } });
    daemon.signal('SIGHUP');
    await siteIs('third');
    expect(await daemon.value(SUCCESSFUL)).toBe(1);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the port of the page', () => {
  test('that changed moves it', async () => {
    await start();
    const before = await daemon.page();
    await site.configure({ site: 'second', web: { listen: '127.0.0.1:0' } });
    expect((await reload()).status).toBe(200);
    await daemon.logged('page-served', 1);
    await siteIs('second');
    await expect
      .poll(() =>
        fetch(before).then(
          () => 'answers',
          () => 'gone',
        ),
      )
      .toBe('gone');
  });

  test('is given back to the old page if another program listens beside it', async () => {
    await start();
    await using other = await takenPort(port, '127.0.0.2');
    await site.configure({ site: 'second', web: { listen: `0.0.0.0:${String(port)}` } });
    for (const refusals of [0, 1]) {
      daemon.signal('SIGHUP');
      await daemon.logged(REFUSED, refusals);
      await siteIs('first');
    }
    await other[Symbol.asyncDispose]();
    daemon.signal('SIGHUP');
    await siteIs('second');
    expect(times(REFUSED)).toBe(2);
  });
});

test('files of the configuration in force that are gone do not end a daemon whose reload fails', async () => {
  const { leaf, intermediate } = site.bench.hierarchy;
  const files = {
    'own-signatures.yaml': 'signatures: []\n',
    'own-products.yaml': 'products: []\n',
    'cert.pem': chainPem(leaf, intermediate),
    'key.pem': leaf.keyPem,
    password: await hashPassword('a long password'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(site.folder, name), text);
  await using taken = await takenPort();
  await site.configure({
    ...web({ users: [{ name: 'ops', passwordHashFile: 'password' }] }),
    trust: { profile: 'pinned', caFiles: ['authority.pem'], productFiles: ['own-products.yaml'] },
    logs: {
      signatureFiles: ['own-signatures.yaml'],
      syslog: { tls: { listen: '127.0.0.1:0', certFile: 'cert.pem', keyFile: 'key.pem' } },
    },
  });
  daemon = site.start();
  await daemon.page();
  for (const file of Object.keys(files)) await rm(join(site.folder, file));
  for (const [index, refused] of [
    { logs: { syslog: { tcp: taken.listen } } },
    web({ listen: `${NOT_HERE}:1` }),
  ].entries()) {
    await site.configure({ site: 'second', ...web(), ...refused });
    daemon.signal('SIGHUP');
    await daemon.logged(REFUSED, index);
  }
  expect((await daemon.fetch('-/healthy')).status).toBe(200);
  await site.configure({ site: 'third', ...web() });
  daemon.signal('SIGHUP');
  await siteIs('third');
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
});

describeWhere([{ program: 'mkfifo' }], 'a silence that is set in the middle of a reload', () => {
  test('is kept, and so is who set it', async () => {
    const silence = (...args: readonly string[]) => site.bench.run(['silence', ...args, '-c', 'ftm-watch.yaml']);
    await start({ logs: {} });
    // The new configuration reads the saved log state when it starts. From here on, the test decides when the start
    // ends.
    const pipe = join(site.folder, 'data', 'polling.json');
    await mkdir(join(site.folder, 'data'), { recursive: true });
    execFileSync('mkfifo', [pipe]);
    await site.configure({ site: 'second', logs: UDP, ...web() });
    daemon.signal('SIGHUP');
    // Opens when the daemon opens it, which then waits for the end.
    await using held = await open(pipe, 'w');
    const added = silence('add', '--for', '1h', '--comment', 'in the middle');
    await sleep(500);
    await held.close();
    expect(await added).toMatchObject({ exitCode: 0 });
    await daemon.logged(TAKEN);
    expect((await silence('list', '--json')).stdout).toContain('in the middle');
    await daemon.end('SIGTERM');
    using db = new DatabaseSync(join(site.folder, 'data', 'ftm-watch.sqlite'), { readOnly: true });
    expect(db.prepare('SELECT action FROM audit').all()).toEqual([{ action: 'add-silence' }]);
  });
});
