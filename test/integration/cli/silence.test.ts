import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { runCommand, type Ran } from '../../support/process/command-line.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();
/** The socket of the daemon whose store is `store.sqlite` in the folder. */
let socket: string;

beforeEach(() => {
  socket = folder.at('store.sqlite.sock');
  configure('store: { path: store.sqlite }');
});

function configure(text: string): void {
  writeFileSync(folder.at('ftm-watch.yaml'), text);
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return runCommand([...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path, env });
}

describe('ftm-watch silence', () => {
  test('adds, lists and removes', async () => {
    await using _ = await startControl(socket);
    const until = new Date(systemClock.now() + 60_000).toISOString();

    const about = ['--cause', 'tls-intercepted', '--subject', 'a.example:443'];
    expect(await run(['silence', 'add', '--for', '2h', ...about, '--comment', 'On its way'])).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^Added silence-1: tls-intercepted at a\.example:443 until \S+Z, by local \(claimed: ada\): On its way\n$/u,
      ),
      errors: '',
    });
    await run(['silence', 'add', '--until', until, '--by', 'Bob', '--comment', 'All of it']);
    const listed = await run(['silence', 'list']);
    expect(listed.output.split('\n')).toEqual([
      expect.stringContaining('silence-1: tls-intercepted'),
      expect.stringMatching(/^silence-2: every cause until \S+Z, by local \(claimed: Bob\): All of it$/u),
      '',
    ]);
    const json: unknown = JSON.parse((await run(['silence', 'list', '--json'])).output);
    expect(json).toMatchObject({
      silences: [
        { id: 'silence-1', by: 'local (claimed: ada)' },
        { id: 'silence-2', cause: null },
      ],
    });

    const from = new Date(systemClock.now() + 60_000).toISOString();
    expect((await run(['silence', 'add', '--from', from, '--for', '8h', '--comment', 'Move'])).output).toContain(
      `silence-3: every cause planned from ${from} until `,
    );

    expect(await run(['silence', 'remove', 'silence-1', 'silence-2', 'silence-3'])).toEqual({
      code: 0,
      output: 'Removed silence-1\nRemoved silence-2\nRemoved silence-3\n',
      errors: '',
    });
    expect((await run(['silence', 'list'])).output).toBe('There are no silences\n');
  });

  test('says what the daemon says against it', async () => {
    await using _ = await startControl(socket);

    expect(await run(['silence', 'add', '--for', 'ever', '--cause', 'rain', '--comment', 'x'])).toEqual({
      code: 2,
      output: '',
      errors: [
        'Invalid silence',
        '- "cause": expected a cause such as "tls-intercepted", got "rain"',
        '- "duration": expected a duration such as "90s", "15m", "2h" or "7d", got "ever"',
        '',
      ].join('\n'),
    });
    const misspelled = await run(['silence', 'add', '--for', '2h', '--cause', 'licence-on-peer', '--comment', 'x']);
    expect(misspelled).toMatchObject({ code: 2, errors: expect.stringContaining('did you mean "license-on-peer"?') });
    expect(await run(['silence', 'remove', '../status'])).toEqual({
      code: 2,
      output: '',
      errors: 'There is no silence "../status"\n',
    });
    expect((await run(['silence', 'add', '--for', '2h'])).code).toBe(3);
  });

  test('says that the daemon does not run', async () => {
    expect(await run(['silence', 'list'])).toEqual({
      code: 3,
      output: '',
      errors:
        `Cannot connect to ftm-watch at "${socket}": the socket does not exist; check that "ftm-watch run" is running with this ` +
        `configuration\n`,
    });
  });

  test('says that something else listens', async () => {
    const other = createServer((connection) => connection.end('220 mail.example.test ESMTP\r\n')).listen(socket);
    await once(other, 'listening');
    expect(await run(['silence', 'list'])).toMatchObject({
      code: 3,
      errors: expect.stringContaining(`Cannot connect to ftm-watch at "${socket}": `),
    });
    other.close();

    await using _ = await startControl(folder.at('real.sock'));
    configure('store: { path: real }');
    expect((await run(['silence', 'remove', 'x'.repeat(9_000)])).errors).toBe(
      'Unexpected answer from the daemon (HTTP 431): check that the daemon is the same version as this command\n',
    );
  });

  test('works while the configuration has mistakes, and while secrets are for the daemon alone', async () => {
    await using _ = await startControl(socket);
    configure(
      'store: { path: store.sqlite }\nsites: hq\n' +
        'mail: [{ host: a.example, user: u, passwordFile: /run/credentials/none }]\n' +
        'registration: { passwordEnv: NONE }\n',
    );

    expect(await run(['silence', 'list'])).toEqual({ code: 0, output: 'There are no silences\n', errors: '' });
    configure('store: { path: 5 }');
    expect(await run(['silence', 'list'])).toMatchObject({
      code: 3,
      errors: expect.stringMatching(/^ftm-watch\.yaml:1:10 {2}store\.path: expected the name of a file, got 5\n/u),
    });
  });

  test('finds the socket in the runtime directory', async () => {
    await using _ = await startControl(folder.at('control.sock'));

    expect((await run(['silence', 'list'], { RUNTIME_DIRECTORY: folder.path })).code).toBe(0);
  });
});

describe('ftm-watch reload', () => {
  test('tells what the daemon says', async () => {
    await using control = await startControl(socket);

    expect(await run(['reload'])).toEqual({ code: 0, output: 'Configuration reloaded\n', errors: '' });
    control.state.reload = { kind: 'refused', problems: ['ftm-watch.yaml:1:1  unknown key "sites"'] };
    expect(await run(['reload'])).toEqual({
      code: 2,
      output: '',
      errors:
        'The configuration was rejected. The previous one is still active:\n- ftm-watch.yaml:1:1  unknown key "sites"\n',
    });
    expect(control.state.reloads).toBe(2);
  });

  test('says that the daemon does not run', async () => {
    expect(await run(['reload'])).toMatchObject({
      code: 3,
      errors: expect.stringContaining('the socket does not exist'),
    });
  });
});
