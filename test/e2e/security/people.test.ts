import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMailHost, type MailHost } from '../../../src/demo/lab/mail-host.ts';
import { createDaemonBench, type DaemonBench } from '../../support/process/daemon-bench.ts';
import { sendLines, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { runHere } from '../../support/process/command-line.ts';
import { jsonReceiver, type JsonReceiver } from '../../support/notify/json-receiver.ts';
import { until } from '../../support/time/until.ts';
import { unzip } from '../../support/process/unzipped.ts';
import { emailBy } from '../../support/mail/mail-server.ts';

const LIMIT_MS = 30_000;

/** Data about users of FortiAuthenticator, which must not be kept, shown or sent. */
const PERSONAL = {
  user: 'jdoe-canary',
  mail: 'jane.doe-canary',
  phone: '+49 171 2345678',
  code: 'EEIIWKSDCTHTW2OY',
  bareCode: '7QX2M4KP9ZC3TB6W',
  licenseCode: '0123-4567-89AB-CDEF-0123',
  seed: '3132333435363738393031323334353637383930',
} as const;
/** Serial numbers, which are needed for a repair and must be kept. */
const SERIALS = ['FAC-VMTM19000001', 'FG100FTK20012345', 'FTKMOB5723AE64CB', 'EFTM010130823929'] as const;

const HEAD =
  '<12>Aug 14 22:40:02 fac db[16987]: category="Event" subcategory="Admin Configuration" typeid=0 level="warning" ' +
  `user="${PERSONAL.user}" nas="" action="" status="" `;
const TAIL =
  `(${SERIALS.join(' ')}) for ${PERSONAL.user}, ${PERSONAL.mail}@example.org, ${PERSONAL.phone}, activation code: ` +
  `${PERSONAL.code}, tried ${PERSONAL.bareCode}, ${PERSONAL.licenseCode}, seed ${PERSONAL.seed}`;
const ERROR = `${HEAD}FTM polling error: connection timeout: server connection failed: SSL session failed ${TAIL}`;
const UNKNOWN = `${HEAD}FTM server error: something that no signature knows ${TAIL}`;

let site: DaemonBench;
let daemon: DaemonProcess;
let inbox: MailHost;
let hooks: JsonReceiver;
let stack: AsyncDisposableStack;
let page = '';

function leaksIn(text: string): readonly string[] {
  return Object.values(PERSONAL).filter((canary) => text.includes(canary));
}

/** Returns the serial numbers that are missing. */
function lostIn(text: string): readonly string[] {
  return SERIALS.filter((serial) => !text.includes(serial));
}

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  site = stack.use(await createDaemonBench());
  inbox = stack.use(await createMailHost());
  hooks = stack.use(await jsonReceiver());
  await site.configure({
    logs: { syslog: { udp: '127.0.0.1:0' } },
    appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }],
    notify: {
      email: emailBy(inbox, 'admins@example.org'),
      webhooks: [{ url: hooks.url }],
      policy: { confirmations: 1, recoveries: 1 },
    },
    store: { path: 'data/ftm-watch.sqlite' },
    log: { level: 'trace' },
  });
  daemon = stack.use(site.start());
  page = await daemon.page();
  const listening: unknown = await daemon.logged('log-listening');
  const { udp } = listening as { readonly udp: { readonly port: number } };
  await sendLines(udp.port, [ERROR, UNKNOWN]);
  await until(
    () => Promise.resolve([inbox.mails.length, hooks.posts.length]),
    (counts) => counts.every((count) => count > 0),
    LIMIT_MS,
  );
});

afterAll(async () => {
  await stack.disposeAsync();
});

async function get(path: string): Promise<string> {
  const answer = await fetch(`${page}${path}`);
  // Error pages must not leak anything either.
  expect({ path, status: answer.status }).toEqual({ path, status: 200 });
  return answer.text();
}

describe('people, codes and seeds in a log line', () => {
  test('are not in the API, where the serial numbers are', async () => {
    const status = await get('/api/v1/status');
    expect(leaksIn(status)).toEqual([]);
    expect(lostIn(status)).toEqual([]);
  });

  test.each(['/', '/metrics', '/api/v1/incidents', '/api/v1/history'])('are not on %s', async (path) => {
    expect(leaksIn(await get(path))).toEqual([]);
  });

  test('are not in mails and what programs are sent, where the serial numbers are', () => {
    const mails = inbox.mails.map(({ raw }) => raw.replaceAll('=\r\n', ''));
    for (const text of [...mails, ...hooks.posts.map(({ body }) => JSON.stringify(body))]) {
      expect(leaksIn(text)).toEqual([]);
      expect(lostIn(text)).toEqual([]);
    }
  });

  test.each([
    ['explain', [ERROR]],
    ['explain', [UNKNOWN]],
  ])('are not in what "%s" prints, where the serial numbers are', async (command, args) => {
    const { stdout, stderr } = await runHere([command, ...args], { cwd: site.folder });
    expect(leaksIn(`${stdout}${stderr}`)).toEqual([]);
    expect(lostIn(stdout)).toEqual([]);
  });

  test('are not in a report', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'ftm-watch-people-'));
    try {
      await runHere(['report', '-c', join(site.folder, 'ftm-watch.yaml')], { cwd });
      const [name = ''] = await readdir(cwd);
      const archive = await unzip(join(cwd, name));
      expect(archive.names.flatMap((file) => leaksIn(archive.text(file)))).toEqual([]);
      expect(lostIn(archive.names.map((file) => archive.text(file)).join(''))).toEqual([]);
    } finally {
      await rm(cwd, { recursive: true });
    }
  });

  test('are not in the log and the store', async () => {
    const { stderr } = await daemon.end('SIGTERM');
    const log = `${JSON.stringify(daemon.log)}${stderr}`;
    expect(log).toContain('has no matching signature');
    expect(leaksIn(log)).toEqual([]);
    const folder = join(site.folder, 'data');
    const kept = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
    expect(kept.flatMap(leaksIn)).toEqual([]);
    expect(lostIn(kept.join(''))).toEqual([]);
  });
});
