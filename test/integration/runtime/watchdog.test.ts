import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

const PROGRAM = fileURLToPath(new URL('../../../src/runtime/watchdog/watchdog.sh', import.meta.url));

/** A process that is watched as the daemon is, but with less patience. Its loop is blocked by SIGUSR2. */
const HOST = `
  import { spawn } from 'node:child_process';
  const watchdog = spawn('bash', ['${PROGRAM}', '1', '0.3', '<2>'], {
    stdio: ['pipe', 'ignore', 'ignore', 1],
    detached: true,
  });
  setInterval(() => watchdog.stdin.write('\\n'), 200);
  process.on('SIGUSR2', () => { for (;;); });
  console.log(watchdog.pid);
`;
/** Patience, three confirmations, and some time for a busy machine. */
const SOON = 10_000;

interface Host extends AsyncDisposable {
  readonly watchdog: number;
  /** Everything that was printed after the start. */
  readonly lines: readonly string[];
  signal(name: NodeJS.Signals): void;
  /** Resolves with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
}

async function startHost(): Promise<Host> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOST], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(([, signal]: readonly unknown[]) => signal as NodeJS.Signals | null);
  const output = createInterface(child.stdout);
  const lines: string[] = [];
  const [first] = (await once(output, 'line')) as readonly string[];
  output.on('line', (line) => lines.push(line));
  return {
    watchdog: Number(first),
    lines,
    ended,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A process that nobody has waited for yet, in state Z, does not run. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${String(pid)}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describeWhere(['linux', { program: 'bash' }], 'the watchdog', () => {
  test.concurrent('ends a process whose event loop is blocked, and logs it', async () => {
    await using host = await startHost();
    const before = performance.now();

    host.signal('SIGUSR2');

    expect(await host.ended).toBe('SIGKILL');
    expect(performance.now() - before).toBeGreaterThan(1_000);
    const [, prefix, line = ''] = /^(<2>)(.*)$/u.exec(host.lines.join('\n')) ?? [];
    expect(prefix).toBe('<2>');
    expect(JSON.parse(line)).toMatchObject({
      level: 'fatal',
      time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u),
      event: 'loop-blocked',
    });
    expect(isRunning(host.watchdog)).toBe(false);
  });

  test.concurrent('leaves a process alone that sends lines, whatever signals the group gets', async () => {
    await using host = await startHost();
    for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.kill(host.watchdog, name);
    await setTimeout(3_000);
    expect(isRunning(host.watchdog)).toBe(true);
    host.signal('SIGUSR2');
    expect(await host.ended).toBe('SIGKILL');
  });

  test.concurrent('leaves a process alone that was stopped for longer', async () => {
    await using host = await startHost();
    host.signal('SIGSTOP');
    await setTimeout(4_000);
    host.signal('SIGCONT');
    await setTimeout(1_000);
    expect(host.lines).toEqual([]);
    expect(isRunning(host.watchdog)).toBe(true);
  });

  test.concurrent('leaves a process alone that it was frozen with', async () => {
    await using host = await startHost();
    process.kill(host.watchdog, 'SIGSTOP');
    host.signal('SIGSTOP');
    await setTimeout(4_000);
    // When both continue, its time has run out, and the other process has not sent a line yet.
    process.kill(host.watchdog, 'SIGCONT');
    await setTimeout(200);
    host.signal('SIGCONT');
    await setTimeout(1_000);
    expect(isRunning(host.watchdog)).toBe(true);
  });

  test.concurrent('ends with the process', async () => {
    await using host = await startHost();
    host.signal('SIGKILL');
    await host.ended;
    await until(
      () => Promise.resolve(isRunning(host.watchdog)),
      (runs) => !runs,
      SOON,
    );
    expect(host.lines).toEqual([]);
  });
});
