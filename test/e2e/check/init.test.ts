import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { PROGRAM } from '../../support/process/program.ts';

const CTRL_D = '\u0004';
const SECOND = 'Addresses of your FortiAuthenticator units [none]: ';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Dialogue {
  readonly code: number | null;
  readonly shown: string;
}

/** Returns the dialogue as shown to a person who types `ahead` in advance and `then` at the second question. */
async function typed(ahead: string, then = ''): Promise<Dialogue> {
  const [command = '', ...rest] = inTerminal(100);
  const child = spawn(command, [...rest, process.execPath, PROGRAM, 'init', '-c', 'own.yaml'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.write(ahead);
  const exited = once(child, 'exit');
  let shown = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    if (!shown.includes(SECOND) && `${shown}${String(text)}`.includes(SECOND)) child.stdin.write(then);
    shown += String(text);
  }
  const [code] = await exited;
  return { code, shown };
}

describeWhere(['linux', { program: 'script' }], 'ftm-watch init in a terminal', () => {
  test('takes a line for each question, and asks again where one cannot be used', async () => {
    const { code, shown } = await typed('hq\n10.0.0.300\n10.0.0.5\n\n\n\n');

    expect(shown).toContain('expected a host name or an address, got "10.0.0.300"');
    expect(readFileSync(join(folder, 'own.yaml'), 'utf8')).toContain('\nsite: hq\nappliances: [ { name: fac-1,');
    expect(code).toBe(0);
  });

  test('writes nothing for who goes away', async () => {
    const { code, shown } = await typed('hq\n', CTRL_D);

    expect(shown).toContain('No answer was given');
    expect(existsSync(join(folder, 'own.yaml'))).toBe(false);
    expect(code).toBe(3);
  });
});
