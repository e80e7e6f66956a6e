import { readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';

import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import { sendLines, startDaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';
import { POLLING_ERROR_LINE } from '../../support/checks/polling-error-line.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const WITHIN = 20_000;
/** Time limit for one shutdown, on a machine that is busy with two others. */
const END_WITHIN = 15_000;
/** The nightly run tries 64. */
const MOMENTS = Number(process.env['FTM_STOP_MOMENTS'] ?? '12');
const SPAN_MS = 3_000;
const AT_ONCE = 3;

const site = await createDaemonBench();
afterAll(() => site[Symbol.asyncDispose]());

/** Returns the result of SQLite's integrity check; 'none': the store does not exist yet. */
function integrityOf(path: string): unknown {
  try {
    using store = new DatabaseSync(path, { readOnly: true });
    return store.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  } catch {
    return 'none';
  }
}

async function endAfter(moment: number, delayMs: number): Promise<object> {
  const data = `data-${String(moment)}`;
  const file = await site.bench.configure(site.port, {
    schedule: { probes: '* * * * * *' },
    web: { listen: '127.0.0.1:0' },
    store: { path: `${data}/ftm-watch.sqlite` },
  });
  await using daemon = startDaemonProcess({ cwd: site.folder, args: ['-c', file] });
  await setTimeout(delayMs);
  const { code, stderr, tookMs } = await daemon.end('SIGTERM');
  const isKilled = code === null && daemon.log.length === 0;
  const end = {
    delayMs,
    // Until the program has run its first lines, the signal has its default effect, and there is nothing to clean up.
    isInOrder: code === 0 || isKilled,
    stderr,
    isInTime: tookMs < END_WITHIN,
    store: ['ok', 'none'].includes(String(integrityOf(join(site.folder, data, 'ftm-watch.sqlite')))),
    last: isKilled ? 'stopped' : (daemon.log.at(-1)?.event ?? 'stopped'),
  };
  await rm(join(site.folder, data), { recursive: true, force: true });
  return end;
}

test('SIGTERM at any moment of the first seconds ends it in order, with the store whole', async () => {
  const ends: object[] = [];
  const moments = Array.from({ length: MOMENTS }, (_, moment) => ({
    moment,
    delayMs: Math.floor((moment * SPAN_MS) / MOMENTS),
  }));
  const lane = async (): Promise<void> => {
    for (let next = moments.shift(); next !== undefined; next = moments.shift())
      ends.push(await endAfter(next.moment, next.delayMs));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  expect(ends).toHaveLength(MOMENTS);
  expect(ends).toEqual(
    ends.map((end) => ({ ...end, isInOrder: true, stderr: '', isInTime: true, store: true, last: 'stopped' })),
  );
});

describeWhere(['linux'], 'a daemon that is told to reload', () => {
  test('SIGHUP sixty times over leaks nothing, loses no log line, and the last file wins', async () => {
    const port = await freePort();
    // The port for datagrams stays the same across all reloads.
    const logs = { syslog: { udp: `127.0.0.1:${String(port)}`, tcp: '127.0.0.1:0' } };
    await site.configure({ site: 'first', logs });
    await using daemon = startDaemonProcess({ cwd: site.folder, args: ['-c', 'ftm-watch.yaml'] });
    await expect.poll(() => daemon.status()).toMatchObject({ ready: 'ready' });
    const taken = (): number => daemon.log.filter(({ event }) => event === 'configuration-reloaded').length;
    const files = (): number => readdirSync(`/proc/${String(daemon.pid)}/fd`).length;
    async function reload(name: string): Promise<void> {
      const before = taken();
      await site.configure({ site: name, logs });
      daemon.signal('SIGHUP');
      await expect.poll(() => taken()).toBeGreaterThan(before);
    }
    for (let index = 0; index < 5; index += 1) await reload(`warm-${String(index)}`);
    const before = files();
    for (let index = 0; index < 30; index += 1) {
      await reload(`slow-${String(index)}`);
      await sendLines(port, [POLLING_ERROR_LINE]);
    }
    // In quick succession, with a file that is written while it is read. Some of the reloads are merged.
    for (let index = 0; index < 30; index += 1) {
      await writeFile(join(site.folder, 'ftm-watch.yaml'), 'site: [');
      daemon.signal('SIGHUP');
      await site.configure({ site: `quick-${String(index)}`, logs });
      daemon.signal('SIGHUP');
    }
    await until(
      // Between two configurations, nothing listens.
      () => daemon.status().catch(() => null),
      (status) => status?.site === 'quick-29',
      WITHIN,
    );
    await expect.poll(() => daemon.value('ftm_log_lines_total{source="udp",result="ftm"}')).toBe(30);
    // The last reload may still be running.
    await expect.poll(() => daemon.value('ftm_config_last_reload_successful')).toBe(1);
    await expect.poll(() => files() - before).toBeLessThan(5);
    expect(JSON.stringify(daemon.log)).not.toMatch(/MaxListeners|a bug/u);
    expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});
