import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { inTerminal } from '../../support/in-terminal.ts';
import { describeWhere } from '../../support/privilege.ts';
import { until } from '../../support/until.ts';

const DEMO = fileURLToPath(new URL('../../lab/demo.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function demo(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [DEMO, ...args], { env: { PATH: process.env['PATH'], NO_COLOR: '1' } });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

describe('the demo', () => {
  test('plays its story once: each fault is found, named, reported and recovered', async () => {
    const { code, stdout, stderr } = await demo('--once');

    expect(stderr).toBe('');
    const told = stdout.replaceAll(/\s+/gu, ' ');
    for (const cause of ['tls-intercepted', 'answer-hijacked', 'license-on-peer'])
      expect(told).toContain(`cause ${cause} (confirmed)`);
    expect(told.match(/Found after/gu)).toHaveLength(3);
    expect(told.match(/A mail has reached admins@example\.org/gu)).toHaveLength(3);
    expect(told.match(/Recovered after/gu)).toHaveLength(3);
    expect(told.match(/The all-clear has arrived/gu)).toHaveLength(3);
    expect(told).toContain('3 of 3 faults were found, named, reported by mail and recovered');
    expect(code).toBe(0);
  });

  test('says which scenarios there are when it knows no such one', async () => {
    const { code, stderr } = await demo('--scenario', 'meteor');

    expect(code).toBe(1);
    expect(stderr).toContain('Cannot play "meteor": expected one of inspection, dns, license,');
  });
});

/** Command lines of the processes that name this folder. */
function processesOf(folder: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((file) => {
    try {
      const commandLine = readFileSync(file, 'utf8').replaceAll('\0', ' ');
      return commandLine.includes(folder) ? [commandLine] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

describeWhere(['linux', { program: 'script' }], 'a terminal that closes', () => {
  test('leaves nothing of the demo behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-demo-'));
    const [command = '', ...rest] = inTerminal(80);
    const terminal = spawn(command, [...rest, process.execPath, DEMO], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', TMPDIR: folder },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let told = '';
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    await until(
      () => Promise.resolve(told),
      (text) => text.includes('The daemon runs'),
      60_000,
    );
    expect(processesOf(folder)).not.toEqual([]);
    // With the program that holds the other end, the terminal is gone at once.
    terminal.kill('SIGKILL');
    await until(
      () => Promise.resolve([...processesOf(folder), ...readdirSync(folder)]),
      (left) => left.length === 0,
      20_000,
    );
    rmdirSync(folder);
  });
});
