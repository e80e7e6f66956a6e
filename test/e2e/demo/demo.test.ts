import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { SCENARIOS, TIMELINE } from '../../../src/demo/scenarios.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';
import { PROGRAM } from '../../support/process/program.ts';

/** Printed once the daemon has checked everything. */
const RUNS = 'every check passes';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function demo(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, 'demo', ...args], {
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('the demo', () => {
  test('plays its story once: each fault is found, named, reported and recovered', async () => {
    const { code, stdout, stderr } = await demo('--no-pause');

    expect(stderr).toBe('');
    const told = stdout.replaceAll(/\s+/gu, ' ');
    for (const cause of ['tls-intercepted', 'answer-hijacked', 'license-on-peer'])
      expect(told).toContain(`cause ${cause} (confirmed)`);
    expect(told.match(/→ Broken: /gu)).toHaveLength(3);
    expect(told.match(/✗ /gu)).toHaveLength(3);
    expect(told.match(/ remedy /gu)?.length).toBeGreaterThanOrEqual(3);
    expect(told.match(/ admins@example\.org .*? subject CRITICAL /gu)).toHaveLength(3);
    expect(told.match(/→ Repaired: .*? ✓ .*? subject RESOLVED /gu)).toHaveLength(3);
    expect(told).toContain('above policy 5 "fac-to-internet":');
    expect(told).toContain('✓ 3 of 3 ');
    expect(code).toBe(0);
  });

  test('lists the faults that it knows, in its help and when it does not know one', async () => {
    const { code, stderr } = await demo('--fault', 'meteor');

    expect(code).toBe(3);
    expect(stderr).toContain('Cannot play "meteor": expected one of inspection, dns, license,');
    const { stdout: help } = await demo('--help');
    const listed = /^Faults:\n(?<list>(?: {2}.+\n)+)/mu.exec(help)?.groups?.['list'] ?? '';
    expect(listed.match(/^ {2}\S+/gmu)?.map((name) => name.trim())).toEqual(SCENARIOS.map(({ name }) => name));
    expect(help.replaceAll(/\s+/gu, ' ')).toContain(`(default: ${TIMELINE.map(({ name }) => name).join(' ')})`);
  });

  test('refuses a speed that nobody could follow', async () => {
    const { code, stderr } = await demo('--speed', '0');

    expect(code).toBe(3);
    expect(stderr).toContain('Expected a number from 0.1 to 100.');
  });
});

/** Returns the command lines of the processes that mention this folder. */
function processesOf(folder: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      const commandLine = readFileSync(file, 'utf8').replaceAll('\0', ' ');
      return commandLine.includes(folder) ? [commandLine] : [];
    } catch {
      // The process has ended in the meantime.
      return [];
    }
  });
}

/** Waits until the temporary folder is empty and no process mentions it. */
async function nothingLeft(folder: string): Promise<void> {
  await until(
    () => Promise.resolve([...processesOf(folder), ...readdirSync(folder)]),
    (left) => left.length === 0,
    20_000,
  );
  rmdirSync(folder);
}

describeWhere(['linux'], 'a demo that is stopped', () => {
  /** Starts the demo, and stops it as soon as its daemon is running. */
  async function stopped(stop: (child: ChildProcessByStdio<null, Readable, null>) => void): Promise<Ended> {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-demo-'));
    const child = spawn(process.execPath, [PROGRAM, 'demo'], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = stdout.includes(RUNS);
      stdout += text;
      if (before || !stdout.includes(RUNS)) return;
      expect(processesOf(folder)).not.toEqual([]);
      stop(child);
    });
    const [code] = await closed;
    await nothingLeft(folder);
    return { code, stdout, stderr: '' };
  }

  test.for(['SIGINT', 'SIGTERM'] as const)('by %s ends in order, and leaves nothing behind', async (signal) => {
    const { code, stdout } = await stopped((child) => child.kill(signal));

    expect(stdout).toContain('Stopped. ');
    expect(code).toBe(130);
  });

  test('twice leaves nothing behind either', async () => {
    const { code } = await stopped((child) => {
      child.kill('SIGINT');
      child.kill('SIGTERM');
    });

    expect(code).toBe(130);
  });

  test('because nobody reads its output any more leaves nothing behind', async () => {
    const { code } = await stopped((child) => child.stdout.destroy());

    expect(code).toBe(141);
  });
});

describeWhere(['linux', { program: 'script' }], 'a terminal that closes', () => {
  test('leaves nothing of the demo behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-demo-'));
    const [command = '', ...rest] = inTerminal(80);
    const terminal = spawn(command, [...rest, process.execPath, PROGRAM, 'demo'], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', TMPDIR: folder },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let told = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    await expect.poll(() => told).toContain(RUNS);
    expect(processesOf(folder)).not.toEqual([]);
    // The terminal closes as soon as the program at its other end is killed.
    terminal.kill('SIGKILL');
    await nothingLeft(folder);
  });
});
