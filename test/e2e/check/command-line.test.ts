import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { REMEDY } from '../../../src/document/incident-story.ts';
import { createCheckBench } from '../../support/process/check-bench.ts';
import { conclusionOf, notReady, preconditionOf, readCheck, READY } from '../../support/process/check-result.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import type { Run } from '../../support/process/ftm-watch.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { inTerminal } from '../../support/process/in-terminal.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { PROGRAM } from '../../support/process/program.ts';
import { createSandbox } from '../../support/network/sandbox.ts';
import { createPeerAtHello } from '../../support/network/tls-peer.ts';
import { freePort } from '../../support/network/free-port.ts';

const ESCAPE = String.fromCodePoint(0x1b);
/** Control characters other than line breaks, which move the cursor, change colors or overwrite a line. */
const CONTROL = /(?!\n)\p{Cc}/u;

const bench = await createCheckBench();
const server = await bench.licenseServer();
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

/** Commands are not wrapped, so that they can be copied. They are indented further than the text of their step. */
function isCommand(line: string): boolean {
  return /^ {19}/u.test(line);
}

describe('for people', () => {
  test.each([
    ['in order', 0, () => server.port, /✔ \d+ checks OK: .*Licence server.*\nREADY: [^\n]+\n$/su],
    [
      'broken',
      2,
      () => freePort(),
      new RegExp(
        String.raw`✘ Reachability.*\nCRITICAL.*\n {2}Impact .*\n {2}Evidence .*\n {2}${REMEDY} +1\. .*\nNOT READY: [^\n]+\n$`,
        'su',
      ),
    ],
  ])('what is %s, plain where there is no terminal', async (_, code, port, layout) => {
    const { exitCode, stdout, stderr } = await bench.run(['check', '-c', await bench.configure(await port())]);
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: '' });
    expect(stdout).not.toMatch(CONTROL);
    expect(stdout).toMatch(layout);
    expect(stdout.split('\n').filter((line) => line.length > 100 && !isCommand(line))).toEqual([]);
  });
});

test.each([
  ['behind the command', (file: string) => ['check', '--json', '-c', file]],
  ['in front of it', (file: string) => ['-c', file, 'check', '--json']],
  ['by its long name', (file: string) => ['check', `--config=${file}`, '--json']],
])('the configuration is named %s', async (_, args) => {
  expect(conclusionOf(readCheck(await bench.run(args(await bench.configure(server.port)))))).toEqual(READY);
});

test.each<readonly [string, readonly string[], RegExp]>([
  ['a configuration with mistakes', ['-c', 'bad.yaml'], /bad\.yaml:2\b.*resolvers.*\n.*bad\.yaml:3\b.*99999/u],
  ['a configuration that does not exist', ['-c', 'nowhere.yaml'], /nowhere\.yaml/u],
  ['a certificate file without a certificate', ['-c', 'no-certificate.yaml'], /empty\.pem/u],
  ['an option that does not exist', ['--jsno'], /--json/u],
])('%s: exit code 3, and what it is on standard error alone', async (_, args, said) => {
  const files = {
    'bad.yaml': 'site: hq\nresolver: [system]\ncontrolHosts: [www.iana.org:99999]\n',
    'no-certificate.yaml': 'trust: { caFiles: [empty.pem] }\n',
    'empty.pem': '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(bench.folder, name), text);
  const { exitCode, stdout, stderr } = await bench.run(['check', '--json', ...args]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  expect(stderr).toMatch(said);
});

test('a full disk: exit code 3, because nobody has the result', async () => {
  const args = [process.execPath, PROGRAM, 'config', 'schema'];
  const failed = promisify(execFile)('sh', ['-c', '"$@" > /dev/full', 'sh', ...args]);
  await expect(failed).rejects.toMatchObject({ code: 3, stderr: expect.stringContaining('ENOSPC') });
});

test('Ctrl-C ends it at once, and nothing is said to be broken', async () => {
  const connected = Promise.withResolvers<null>();
  await using silent = await createPeerAtHello(() => {
    connected.resolve(null);
  });
  const args = ['check', '--json', '-c', await bench.configure(silent.port)];
  const result = readCheck(await runFtmWatch(args, { cwd: bench.folder, interruptAfter: connected.promise }));
  // After the 4 s that it would wait for the handshake, the port would be blocked.
  const states = { 'tls-genuine': 'unknown', 'license-server': 'unknown' };
  expect(conclusionOf(result)).toEqual({ ...READY, exitCode: 3, ready: 'unknown', states });
});

describeWhere(['root', 'network-namespaces'], 'no configuration, on a machine without any network', () => {
  test('says that the internet is unreachable', async () => {
    await using machine = await createSandbox();
    const result = readCheck(await runFtmWatch(['check', '--json'], { cwd: bench.folder, prefix: machine.prefix }));
    const path = ['name-resolution', 'reachability', 'tls-genuine', 'license-server'] as const;
    expect(conclusionOf(result)).toEqual(notReady('internet-unreachable', ...path));
    expect(preconditionOf(result, 'mail').state).toBe('not-configured');
    expect(result.durationMs).toBeLessThan(10_000);
  });
});

describeWhere([{ program: 'script' }], 'at a terminal', () => {
  test.concurrent.for([
    ['colours', {}, true],
    ['no colours with NO_COLOR', { NO_COLOR: '1' }, false],
    ['no colours on a dumb terminal', { TERM: 'dumb' }, false],
  ] as const)('%s', async ([, env, colours]) => {
    const { exitCode, stdout } = await runAt(120, { NO_COLOR: '', TERM: 'xterm', ...env });
    expect(exitCode).toBe(2);
    expect(stripVTControlCharacters(stdout)).toContain('✘ Reachability');
    expect(stdout.includes(`${ESCAPE}[31m`)).toBe(colours);
  });

  test.concurrent.for([
    [72, 72],
    [200, 120],
    // A console that does not report its size.
    [0, 100],
  ] as const)('%i columns: lines of up to %i', async ([columns, longest]) => {
    const { stdout } = await runAt(columns, { TERM: 'dumb' });
    const report = stdout.slice(stdout.indexOf('ftm-watch  '));
    const lengths = report.split('\r\n').flatMap((line) => (isCommand(line) ? [] : [line.length]));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(longest);
    expect(Math.max(...lengths)).toBeGreaterThan(longest - 20);
  });

  test('explain and config check wrap their lines', async () => {
    await writeFile(join(bench.folder, 'wrong.yaml'), 'site: 7\nlogs: { file: a }\n');
    const at = (...args: readonly string[]): Promise<Run> =>
      runFtmWatch(args, { cwd: bench.folder, env: { TERM: 'dumb' }, prefix: inTerminal(60) });
    const runs = await Promise.all([
      at('explain', fixtureLines('fac-syslog-samples.txt')[0] ?? ''),
      at('config', 'check', '-c', 'wrong.yaml'),
    ]);
    for (const { stdout } of runs) {
      const lines = stdout.trimEnd().split('\r\n');
      expect(lines.length).toBeGreaterThan(3);
      expect(lines.filter((line) => line.length > 60)).toEqual([]);
    }
  });

  async function runAt(columns: number, env: Readonly<Record<string, string>>): Promise<Run> {
    const file = await bench.configure(await freePort());
    return runFtmWatch(['check', '-c', file], { cwd: bench.folder, env, prefix: inTerminal(columns) });
  }
});
