import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import {
  createDaemonBench,
  metricsOf,
  statusOf,
  valueIn,
  type DaemonBench,
} from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { runHere } from '../../support/process/command-line.ts';
import type { Run } from '../../support/process/ftm-watch.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 10_000;
const TAKEN = 'configuration-reloaded';
const REFUSED = 'configuration-rejected';
/** An address that no machine has (TEST-NET-3, RFC 5737). */
const NOT_HERE = '203.0.113.7';

const printed = z.object({ silences: z.array(z.object({ comment: z.string() })) });

let site: DaemonBench;

beforeAll(async () => {
  site = await createDaemonBench();
});

afterAll(() => site[Symbol.asyncDispose]());

beforeEach(() => rm(join(site.folder, 'data'), { recursive: true, force: true }));

function siteIs(page: string, name: string): Promise<unknown> {
  return until(
    () => statusOf(page),
    (status) => status?.site === name,
    WITHIN,
  );
}

/** Reloads and returns the problems. */
async function refused(daemon: DaemonProcess, before = 0): Promise<unknown> {
  daemon.signal('SIGHUP');
  return (await daemon.logged(REFUSED, before))['problems'];
}

async function takenPort(): Promise<AsyncDisposable & { readonly listen: string }> {
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen');
  return {
    listen: `127.0.0.1:${String(address.port)}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Waits until a process opens the pipe for reading. The reader then waits for `letGo`. */
async function heldPipe(path: string): Promise<AsyncDisposable & { readonly letGo: () => Promise<void> }> {
  const handle = await open(path, 'w');
  return { letGo: () => handle.close(), [Symbol.asyncDispose]: () => handle.close() };
}

describe('a page that cannot listen', () => {
  test.each([
    ['at an address that is not here', (port: number) => ({ listen: `${NOT_HERE}:${String(port)}` })],
    [
      'with a certificate that is none',
      (port: number) => ({ listen: `127.0.0.1:${String(port)}`, tls: { certFile: 'none.pem', keyFile: 'none.pem' } }),
    ],
  ])('%s refuses the whole configuration', async (_, web) => {
    const port = await freePort();
    await writeFile(join(site.folder, 'none.pem'), 'none');
    await site.configure({ site: 'first', web: { localReload: true, listen: `127.0.0.1:${String(port)}` } });
    await using daemon = site.start();
    const page = await daemon.page();
    await siteIs(page, 'first');

    await site.configure({ site: 'second', web: web(port) });
    const answer = await fetch(`${page}/-/reload`, { method: 'POST' });
    expect(answer.status).toBe(422);
    expect(await answer.text()).toMatch(/Cannot (?:serve|use) the status page/u);
    expect((await statusOf(page))?.site).toBe('first');
    expect(daemon.log.filter(({ event }) => event === REFUSED)).toHaveLength(1);
    expect(valueIn(await metricsOf(page), 'ftm_config_last_reload_successful')).toBe(0);

    await site.configure({ site: 'third', web: { listen: `0.0.0.0:${String(port)}` } });
    daemon.signal('SIGHUP');
    await daemon.logged(TAKEN);
    await siteIs(page, 'third');
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });

  test('because another program listens beside the old one, gives its port back to the old one', async () => {
    const port = await freePort();
    await site.configure({ site: 'first', web: { listen: `127.0.0.1:${String(port)}` } });
    const other = createServer().listen(port, '127.0.0.2');
    await once(other, 'listening');
    await using daemon = site.start();
    const page = await daemon.page();
    const events = await fetch(`${page}/api/v1/events`);
    let isCut = false;
    const following = events.body?.pipeTo(new WritableStream()).finally(() => {
      isCut = true;
    });
    await site.configure({ site: 'second', web: { listen: `0.0.0.0:${String(port)}` } });
    expect(await refused(daemon)).toEqual([expect.stringContaining('the port is in use by another program')]);
    expect((await statusOf(page))?.site).toBe('first');
    daemon.signal('SIGHUP');
    await daemon.logged(REFUSED, 1);
    await siteIs(page, 'first');
    // Clients that follow the events notice nothing until the page is closed.
    expect([events.status, isCut]).toEqual([200, false]);
    other.close();
    await once(other, 'close');
    daemon.signal('SIGHUP');
    await daemon.logged(TAKEN);
    await siteIs(page, 'second');
    await following;
  });
});

describe('files of the configuration in force that are gone', () => {
  const files = ['own-signatures.yaml', 'own-products.yaml', 'cert.pem', 'key.pem', 'password'];

  beforeEach(async () => {
    const { leaf, intermediate } = site.bench.hierarchy;
    const contents = [
      'signatures: []\n',
      'products: []\n',
      chainPem(leaf, intermediate),
      leaf.keyPem,
      await hashPassword('a long password'),
    ];
    for (const [index, file] of files.entries()) await writeFile(join(site.folder, file), contents[index] ?? '');
  });

  test('do not end a daemon whose reload fails', async () => {
    await using taken = await takenPort();
    const port = await freePort();
    await site.configure({
      site: 'first',
      web: { listen: `127.0.0.1:${String(port)}`, users: [{ name: 'ops', passwordHashFile: 'password' }] },
      trust: { profile: 'pinned', caFiles: ['authority.pem'], productFiles: ['own-products.yaml'] },
      logs: {
        signatureFiles: ['own-signatures.yaml'],
        syslog: { tls: { listen: '127.0.0.1:0', certFile: 'cert.pem', keyFile: 'key.pem' } },
      },
    });
    await using daemon = site.start();
    const page = await daemon.page();
    for (const file of files) await rm(join(site.folder, file));

    await site.configure({ site: 'second', logs: { syslog: { tcp: taken.listen } } });
    expect(await refused(daemon)).toEqual([expect.stringContaining(taken.listen)]);
    await daemon.logged('log-listening', 1);
    await site.configure({ site: 'third', web: { listen: `${NOT_HERE}:${String(port)}` } });
    expect(await refused(daemon, 1)).toEqual([expect.stringContaining(NOT_HERE)]);
    expect((await fetch(`${page}/-/healthy`)).status).toBe(200);

    await site.configure({ site: 'fourth', web: { listen: `127.0.0.1:${String(port)}` } });
    daemon.signal('SIGHUP');
    await daemon.logged(TAKEN);
    await siteIs(page, 'fourth');
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});

describeWhere([{ program: 'mkfifo' }], 'a silence that is set in the middle of a reload', () => {
  test('is kept, and so is who set it', async () => {
    const store = { path: 'data/history.sqlite' };
    await site.configure({ site: 'first', store });
    await using daemon = site.start();
    const page = await daemon.page();
    await siteIs(page, 'first');
    // The new configuration reads the saved log state when it starts. From here on, the test decides when the read
    // finishes.
    const pipe = join(site.folder, 'data', 'polling.json');
    await mkdir(join(site.folder, 'data'), { recursive: true });
    execFileSync('mkfifo', [pipe]);
    await site.configure({ site: 'second', store, logs: { syslog: { udp: '127.0.0.1:0' } } });
    daemon.signal('SIGHUP');
    await using held = await heldPipe(pipe);

    expect(await command('silence', 'add', '--for', '1h', '--comment', 'in the middle')).toMatchObject({ exitCode: 0 });
    await held.letGo();
    await daemon.logged(TAKEN);
    const { stdout } = await command('silence', 'list', '--json');
    expect(printed.parse(JSON.parse(stdout)).silences.map(({ comment }) => comment)).toEqual(['in the middle']);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    using db = new DatabaseSync(join(site.folder, 'data', 'history.sqlite'), { readOnly: true });
    expect(db.prepare('SELECT action FROM audit').all()).toEqual([{ action: 'add-silence' }]);
  });

  function command(...args: readonly string[]): Promise<Run> {
    return runHere([...args, '-c', 'ftm-watch.yaml'], { cwd: site.folder });
  }
});
