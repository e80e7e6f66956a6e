import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { cleanEnvironment } from '../../support/process/clean-environment.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import { freePort } from '../../support/network/free-port.ts';

const BLOCKING = fileURLToPath(new URL('./block-the-loop.ts', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'ftm-watch-blocked-'));
const main = join(base, 'dist', 'main.js');

beforeAll(async () => {
  execFileSync(process.execPath, ['tools/bundle/bundle.ts', join(base, 'dist')], { env: cleanEnvironment() });
  const closed = `127.0.0.1:${String(await freePort())}`;
  const config = {
    licenseServer: { host: '127.0.0.1', port: Number(closed.split(':')[1]) },
    controlHosts: [closed],
    resolvers: [closed],
    web: { listen: '127.0.0.1:0' },
  };
  for (const name of ['blocked', 'stopped', 'ended']) {
    mkdirSync(join(base, name));
    writeFileSync(join(base, name, 'ftm-watch.yaml'), JSON.stringify(config));
  }
});
afterAll(() => rmSync(base, { recursive: true }));

/** Starts the built program with a loop that can be blocked. */
function start(name: string): DaemonProcess {
  const args = ['--config', 'ftm-watch.yaml'];
  return startDaemonProcess({ cwd: join(base, name), main, args, env: { NODE_OPTIONS: `--import ${BLOCKING}` } });
}

describe.concurrent('the built daemon', () => {
  test('ends when its event loop does not turn for a minute, and says so', async ({ expect }) => {
    await using daemon = start('blocked');
    const page = await daemon.page();
    const blockedAt = performance.now();
    daemon.signal('SIGUSR2');
    await setTimeout(1_000);
    await expect(fetch(`${page}/-/healthy`, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow();

    const { code } = await daemon.ended;

    // The process was killed by a signal. The last check before the block may have been shortly before it.
    expect(code).toBeNull();
    expect(performance.now() - blockedAt).toBeGreaterThan(54_000);
    expect(performance.now() - blockedAt).toBeLessThan(90_000);
    expect(daemon.log.at(-1)).toMatchObject({
      level: 'fatal',
      event: 'loop-blocked',
    });
  });

  test('goes on after it was stopped for longer than that, as a machine is that sleeps', async ({ expect }) => {
    await using daemon = start('stopped');
    const page = await daemon.page();

    daemon.signal('SIGSTOP');
    await setTimeout(75_000);
    daemon.signal('SIGCONT');
    await setTimeout(10_000);

    expect((await fetch(`${page}/-/healthy`)).status).toBe(200);
  });

  test('does not wait for the process that watches it when it is told to end', async ({ expect }) => {
    await using daemon = start('ended');
    await daemon.page();

    const { code, tookMs } = await daemon.end('SIGTERM');

    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(4_000);
  });
});
