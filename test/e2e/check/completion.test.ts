import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { runHere } from '../../support/process/command-line.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { until } from '../../support/time/until.ts';

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-completion-'));
  writeFileSync(join(folder, 'own file.yaml'), '');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout, stderr } = await runHere(['completion', shell], { cwd: folder });
    if (stderr !== '') throw new Error(stderr);
    writeFileSync(join(folder, `completion.${shell}`), stdout);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, ...args: readonly string[]): readonly string[] {
  const options = { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder } } as const;
  return execFileSync(command, args, options)
    .split('\n')
    .filter((line) => line !== '');
}

/** Runs a shell in a terminal: Tab completes the typed text, and the output of the resulting command is returned. */
async function typedIn(shell: readonly string[], setUp: string, typed: string): Promise<string> {
  const [command = '', ...rest] = [...inTerminal(200), ...shell];
  const terminal = spawn(command, rest, {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb', PS1: 'ready> ' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const sees = (text: RegExp): Promise<string> =>
    until(
      () => Promise.resolve(shown),
      (seen) => text.test(seen),
      20_000,
    );
  terminal.stdin.write(`ftm-watch() { echo "ran $*."; }; ${setUp}; echo 'set'up\n`);
  await sees(/^setup/mu);
  terminal.stdin.write(`${typed}\t`);
  // The shell accepts the line break only after the completion has finished.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  terminal.stdin.write('\n');
  const all = await sees(/^ran .*\.\r?$/mu);
  terminal.kill('SIGKILL');
  return /^ran (?<what>.*)\.\r?$/mu.exec(all)?.groups?.['what'] ?? '';
}

const COMPLETE = `
  source completion.bash
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _ftm_watch
  printf '%s\\n' "\${COMPREPLY[@]}"`;

describeWhere(['linux', { program: 'script' }], 'completion in bash', () => {
  test.each([
    [
      ['config', ''],
      ['check', 'print', 'schema', '--help'],
    ],
    [
      ['silence', 'add', '--c'],
      ['--config', '--cause', '--comment'],
    ],
    [['-c', 'check', 'trust', 's'], ['show']],
    [['check', '-c', 'own'], ['own file.yaml']],
    [['silence', 'add', '--comment', ''], []],
    [['completion', 'z'], ['zsh']],
  ])('of %j is %j', (words, expected) => {
    expect(run('bash', '--norc', '-c', COMPLETE, 'bash', 'ftm-watch', ...words)).toEqual(expected);
  });

  test('is what Tab does', async () => {
    expect(await typedIn(['bash', '--norc', '-i'], 'source completion.bash', 'ftm-watch conf')).toBe('config');
    expect(await typedIn(['bash', '--norc', '-i'], 'source completion.bash', 'ftm-watch check -c own')).toBe(
      'check -c own file.yaml',
    );
  });
});

describeWhere(['linux', { program: 'script' }, { program: 'zsh' }], 'completion in zsh', () => {
  test('is what Tab does', async () => {
    const setUp = 'autoload -Uz compinit; compinit -u -D; source completion.zsh';
    expect(await typedIn(['zsh', '-f', '-i'], setUp, 'ftm-watch -c check silence rem')).toBe('-c check silence remove');
  });
});

describeWhere([{ program: 'fish' }], 'completion in fish', () => {
  test.each([
    ['config ', ['check', 'print', 'schema']],
    ['silence add --co', ['--comment', '--config']],
    ['-c check trust s', ['show']],
    ['check -c own', ['own file.yaml']],
  ])('of "%s" is %j', (typed, expected) => {
    const lines = run(
      'fish',
      '--no-config',
      '-c',
      `source completion.fish; complete -C ${JSON.stringify(`ftm-watch ${typed}`)}`,
    );

    expect(lines.map((line) => line.split('\t')[0]?.replaceAll('\\', '') ?? '').toSorted()).toEqual(expected);
  });
});
