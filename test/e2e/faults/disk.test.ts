import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { startDaemonProcess, type DaemonProcess, metricsOf, valueIn } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 20_000;
const PAGE = 4096;

let configFile: string;
let data: string;

const lab = await createLab();

beforeAll(async () => {
  data = join(lab.folder, 'own');
  configFile = join(lab.folder, 'own.yaml');
  writeFileSync(
    configFile,
    readFileSync(lab.configFile, 'utf8').replace('data/ftm-watch.sqlite', 'own/ftm-watch.sqlite'),
  );
});
afterAll(() => lab[Symbol.asyncDispose]());

function start(prefix: readonly string[] = []): DaemonProcess {
  return startDaemonProcess({ cwd: lab.folder, args: ['-c', configFile], prefix });
}

/** Checks that a fault is found and reported by mail. */
async function findsAndTells(page: string): Promise<void> {
  await using rounds = await watchRounds(page);
  const before = lab.inbox.mails.length;
  await lab.inspect(true);
  try {
    await rounds.next(({ causes }) => causes.some(({ id }) => id === 'tls-intercepted'), WITHIN);
    await lab.inbox.mail(
      (mail) => lab.inbox.mails.indexOf(mail) >= before && mail.event === 'firing',
      AbortSignal.timeout(WITHIN),
    );
  } finally {
    await lab.inspect(false);
  }
}

function storeWritable(page: string): Promise<number> {
  return metricsOf(page).then((metrics) => valueIn(metrics, 'ftm_store_writable'));
}

/** The number of incidents in the store. */
function kept(): number {
  using store = new DatabaseSync(join(data, 'ftm-watch.sqlite'), { readOnly: true });
  return Number(store.prepare('SELECT count(*) AS n FROM incidents').get()?.['n']);
}

describe('a store that was damaged while the daemon was away', () => {
  let whole: string;

  beforeAll(async () => {
    await using daemon = start();
    await findsAndTells(await daemon.page());
    await daemon.end('SIGTERM');
    whole = join(lab.folder, 'whole');
    // Removes the open incident, so that the same fault is reported again.
    using store = new DatabaseSync(join(data, 'ftm-watch.sqlite'));
    store.exec('DELETE FROM incident_state; PRAGMA wal_checkpoint(TRUNCATE)');
    store.close();
    cpSync(data, whole, { recursive: true });
  });

  const file = (): string => join(data, 'ftm-watch.sqlite');
  test.each([
    { name: 'is cut off', damage: () => truncateSync(file(), 3 * PAGE), aside: 1, writable: 1 },
    {
      name: 'has zeros for its first table',
      damage: () =>
        writeFileSync(file(), Buffer.concat([readFileSync(file()).subarray(0, PAGE), Buffer.alloc(6 * PAGE)])),
      aside: 1,
      writable: 1,
    },
    { name: 'is no database', damage: () => writeFileSync(file(), 'a text '.repeat(10_000)), aside: 1, writable: 1 },
    { name: 'is empty', damage: () => truncateSync(file(), 0), aside: 0, writable: 1 },
    {
      name: 'is not there, and its folder neither',
      damage: () => rmSync(data, { recursive: true }),
      aside: 0,
      writable: 1,
    },
    {
      name: 'is of a newer program',
      damage: () => {
        using store = new DatabaseSync(file());
        store.exec('PRAGMA user_version = 999');
      },
      aside: 0,
      writable: 0,
    },
    {
      name: 'is locked by another program',
      damage: () => {
        const other = new DatabaseSync(file());
        other.exec('BEGIN EXCLUSIVE');
        return other;
      },
      aside: 0,
      writable: 0,
    },
  ])('costs history when it $name, and neither verdict nor mail', async ({ damage, aside, writable }) => {
    rmSync(data, { recursive: true, force: true });
    cpSync(whole, data, { recursive: true });
    using _held = damage() ?? null;
    await using daemon = start();
    const page = await daemon.page();
    await findsAndTells(page);
    expect(await storeWritable(page)).toBe(writable);
    expect(readdirSync(data).filter((name) => /\.sqlite\.corrupt-[^-]*-[^-]*-[^-]*$/u.test(name))).toHaveLength(aside);
    expect(daemon.log.filter(({ event }) => event === 'history-unusable').length).toBeLessThanOrEqual(1);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    expect(writable === 0 ? 1 : kept()).toBeGreaterThan(0);
  });
});

test('a store that is deleted under the daemon is begun again, with what is open', async () => {
  rmSync(data, { recursive: true, force: true });
  await using daemon = start();
  const page = await daemon.page();
  await using rounds = await watchRounds(page);
  await rounds.more(2, WITHIN);
  // The daemon may write a file meanwhile.
  rmSync(data, { recursive: true, maxRetries: 10, retryDelay: 10 });
  await findsAndTells(page);
  expect(await storeWritable(page)).toBe(1);
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  expect(daemon.log.map(({ event }) => event)).toContain('history-replaced');
  expect(kept()).toBeGreaterThan(0);
});

describeWhere(['root'], 'a disk', () => {
  // Listeners of logs/polling-log.ts: callback of after
  test('that fills up costs history and log lines, and is used again when it has room', async () => {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', data]);
    try {
      // Simulates a daemon whose log is a file on the same disk.
      const log = join(data, 'log');
      await using daemon = start(['sh', '-c', 'exec "$@" > "$0"', log]);
      const page = await until(
        () => Promise.resolve(/"url":"([^"]+)\/"/u.exec(read(log))?.[1] ?? ''),
        (url) => url !== '',
        WITHIN,
      );
      await using rounds = await watchRounds(page);
      await rounds.more(1, WITHIN);
      // This fails once the disk is full, as intended.
      spawnSync('dd', ['if=/dev/zero', `of=${join(data, 'fill')}`, 'bs=4k']);
      spawnSync('sh', ['-c', `cat /dev/zero >> '${join(data, 'fill')}'`]);
      await findsAndTells(page);
      expect(await storeWritable(page)).toBe(0);
      rmSync(join(data, 'fill'));
      await expect.poll(() => storeWritable(page)).toBe(1);
      await rounds.more(1, WITHIN);
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
      expect(read(log)).toContain('Cannot use the history file');
      expect(JSON.parse(read(log).trim().split('\n').at(-1) ?? '')).toMatchObject({ event: 'stopped' });
      expect(kept()).toBeGreaterThan(0);
    } finally {
      await unmount();
    }
  });
});

describeWhere(['root', { program: 'fsfreeze' }], 'a disk that hangs', () => {
  test('while rounds are remembered holds up no verdict and no alert', async () => {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data);
    const image = join(lab.folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, 16 * 1024 * 1024);
    execFileSync('mkfs.ext4', ['-q', image]);
    execFileSync('mount', ['-o', 'loop', image, data]);
    try {
      // SQLite writes in the main thread, and commands need the socket. Only the other files are on this disk.
      const elsewhere = join(lab.folder, 'elsewhere');
      mkdirSync(elsewhere);
      symlinkSync(join(elsewhere, 'ftm-watch.sqlite'), join(data, 'ftm-watch.sqlite'));
      await using daemon = start();
      const page = await daemon.page();
      execFileSync('fsfreeze', ['-f', data]);
      try {
        await findsAndTells(page);
      } finally {
        execFileSync('fsfreeze', ['-u', data]);
      }
      expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0 });
    } finally {
      await unmount();
    }
  });
});

/** The threads of a killed daemon may still hold files open. */
async function unmount(): Promise<void> {
  await expect.poll(() => spawnSync('umount', [data]).status).toBe(0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
