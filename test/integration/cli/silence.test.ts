import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
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

/** Runs a command of a line without quotes. A word may be `_` for a space in it. */
function run(line: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const args = line.split(' ').map((word) => word.replaceAll('_', ' '));
  return runCommand([...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path, env });
}

describe('ftm-watch silence', () => {
  test('adds, lists and removes', async () => {
    await using control = await startControl(socket);
    const soon = new Date(systemClock.now() + 60_000).toISOString();
    const added = await run(
      'silence add --for 2h --cause tls-intercepted --subject a.example:443 --comment On_its_way',
    );
    expect(added).toMatchObject({ code: 0, errors: '' });
    expect(added.output).toMatch(
      /: tls-intercepted at a\.example:443 until \S+Z, by local \(claimed: ada\): On its way\n$/u,
    );
    await run(`silence add --until ${soon} --by Bob --comment All_of_it`);
    const planned = await run(`silence add --from ${soon} --for 8h --comment Move`);
    expect(planned.output).toContain(` planned from ${soon} until `);

    const ids = control.state.silences.map(({ id }) => id);
    const listed = (await run('silence list')).output.trimEnd().split('\n');
    expect(listed.map((line) => line.split(':')[0])).toEqual(ids);
    expect(listed[1]).toMatch(/ until \S+Z, by local \(claimed: Bob\): All of it$/u);
    expect(JSON.parse((await run('silence list --json')).output)).toMatchObject({
      silences: [{ id: ids[0], by: 'local (claimed: ada)' }, { id: ids[1], cause: null }, { planned: true }],
    });

    const removed = await run(`silence remove ${ids.join(' ')}`);
    expect([removed.code, removed.output.split('\n').length]).toEqual([0, ids.length + 1]);
    expect(control.state.silences).toEqual([]);
    expect((await run('silence list')).output).not.toContain('silence-');
  });

  test.each([
    ['add --for ever --cause rain --comment x', 2, /"cause": .*"rain"[^]*"duration": .*"ever"/u],
    ['add --for 2h --cause licence-on-peer --comment x', 2, /did you mean "license-on-peer"/u],
    ['remove ../status', 2, /"\.\.\/status"/u],
    ['add --for 2h', 3, /comment/u],
    ['add --comment x', 3, /"--for" or "--until"/u],
    ['add --for 2h --until 2026-11-29T06:00:00Z --comment x', 3, /"--for" or "--until"/u],
  ])('says what is against "%s"', async (line, code, problem) => {
    await using _ = await startControl(socket);
    const ran = await run(`silence ${line}`);
    expect([ran.code, ran.output]).toEqual([code, '']);
    expect(ran.errors).toMatch(problem);
  });

  test.each(['silence list', 'reload'])('says that the daemon does not run: %s', async (line) => {
    const { code, output, errors } = await run(line);
    expect([code, output]).toEqual([3, '']);
    expect(errors).toContain(`"${socket}": the socket does not exist`);
  });

  test('makes a change although a reload has closed the socket for a moment', async () => {
    const added = run('silence add --for 90m --comment Move');
    await setTimeout(300);
    await using control = await startControl(socket);
    expect(await added).toMatchObject({ code: 0, errors: '' });
    expect(control.state.silences).toHaveLength(1);
  });

  test('says that something else listens', async () => {
    const other = createServer((connection) => connection.end('220 mail.example.test ESMTP\r\n')).listen(socket);
    await once(other, 'listening');
    expect(await run('silence list')).toMatchObject({ code: 3, errors: expect.stringContaining(`"${socket}": `) });
    other.close();

    await using _ = await startControl(folder.at('real.sock'));
    configure('store: { path: real }');
    expect((await run(`silence remove ${'x'.repeat(9_000)}`)).errors).toContain('HTTP 431');
  });

  test('works while the configuration has mistakes, and while secrets are for the daemon alone', async () => {
    await using _ = await startControl(socket);
    configure(
      'store: { path: store.sqlite }\nsites: hq\n' +
        'mail: [{ host: a.example, user: u, passwordFile: /run/credentials/none }]\n' +
        'registration: { passwordEnv: NONE }\n',
    );
    expect(await run('silence list')).toMatchObject({ code: 0, errors: '' });
    configure('store: { path: 5 }');
    const { code, errors } = await run('silence list');
    expect(code).toBe(3);
    expect(errors).toMatch(/^ftm-watch\.yaml:1:10 {2}store\.path: .*got 5\n/u);
  });

  test('finds the socket in the runtime directory', async () => {
    await using _ = await startControl(folder.at('control.sock'));
    expect((await run('silence list', { RUNTIME_DIRECTORY: folder.path })).code).toBe(0);
  });
});

test('ftm-watch reload tells what the daemon says', async () => {
  await using control = await startControl(socket);
  expect(await run('reload')).toMatchObject({ code: 0, errors: '' });
  control.state.reload = { kind: 'refused', problems: ['ftm-watch.yaml:1:1  a problem'] };
  const refused = await run('reload');
  expect([refused.code, refused.output]).toEqual([2, '']);
  expect(refused.errors).toMatch(/\n- ftm-watch\.yaml:1:1 {2}a problem\n$/u);
  expect(control.state.reloads).toBe(2);
});
