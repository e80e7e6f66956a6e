import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePasswordHash, verifyPassword } from '../../../src/web/password-hash.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { PROGRAM } from '../../support/process/program.ts';

const PASSWORD = 'Sesam öffne dich';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-password-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Types each answer after its prompt appears, and returns the terminal output. */
async function typed(answers: readonly (readonly [prompt: string, keys: string])[]) {
  const [command = '', ...rest] = inTerminal(100);
  const program = [process.execPath, PROGRAM, 'web', 'hash-password'].join(' ');
  const child = spawn(command, [...rest, 'sh', '-c', `exec ${program} > ops.hash`], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const left = [...answers];
  let shown = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    shown += String(text);
    const [next] = left;
    if (next === undefined || !shown.includes(next[0])) continue;
    child.stdin.write(next[1]);
    left.shift();
  }
  const [code] = (await exited) as [number | null];
  return { code, shown, printed: readFileSync(join(folder, 'ops.hash'), 'utf8') };
}

describeWhere(['linux', { program: 'script' }], 'ftm-watch web hash-password at a terminal', () => {
  test('asks twice, shows neither answer, and prints the hash alone', async () => {
    const { code, shown, printed } = await typed([
      ['Password: ', `${PASSWORD}x\u007F\n`],
      ['Repeat the password: ', `${PASSWORD}\n`],
    ]);
    expect(shown.replaceAll('\r', '')).toBe('Password: \nRepeat the password: \n');
    expect(await verifyPassword(PASSWORD, parsePasswordHash(printed))).toBe(true);
    expect(code).toBe(0);
  });

  test('prints nothing when the two differ, or nobody answers', async () => {
    const differing = await typed([
      ['Password: ', `${PASSWORD}\n`],
      ['Repeat the password: ', 'Sesam\n'],
    ]);
    expect(differing).toMatchObject({
      code: 3,
      printed: '',
      shown: expect.stringContaining('the two passwords do not match'),
    });
    expect(differing.shown).not.toContain('Sesam');
    expect(await typed([['Password: ', 'Sesam\u0003']])).toMatchObject({ code: 3, printed: '' });
  });
});

test('a password that is piped in twice is refused, because no browser can send it', () => {
  const hashed = (input: string) => spawnSync(process.execPath, [PROGRAM, 'web', 'hash-password'], { input }).status;
  expect([hashed(`${PASSWORD}\n`), hashed(`${PASSWORD}\n${PASSWORD}\n`)]).toEqual([0, 3]);
});
