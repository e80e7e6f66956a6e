import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runProgram } from '../../../src/cli/program.ts';
import type { Terminal } from '../../../src/cli/terminal.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { hashPassword } from '../../../src/web/scrypt-hash.ts';
import { chainPem, createHierarchy, createIdentity, type Identity } from '../../support/authority.ts';
import { freePort } from '../../support/free-port.ts';
import { createTcpPeer } from '../../support/tls-peer.ts';
import { startWeb, type WebBench, type WebBenchOptions } from '../../support/web-bench.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-silence-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** The command line with a configuration whose daemon listens at the port. */
async function run(
  port: number,
  args: readonly string[],
  { web = {}, env = {} }: { readonly web?: object; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const config = file('ftm-watch.yaml', stringify({ web: { listen: `127.0.0.1:${String(port)}`, ...web } }));
  const written = { output: '', errors: '' };
  const terminal: Terminal = {
    version: '0.1.0',
    clock: systemClock,
    env: { USER: 'ada', ...env },
    hostname: 'watcher',
    cwd: folder,
    input: (async function* () {})(),
    output: { write: (text) => (written.output += text) },
    errors: { write: (text) => (written.errors += text) },
    style: { color: false, width: 100 },
    progress: null,
    confirm: null,
    signal: new AbortController().signal,
    onHangup: () => undefined,
  };
  const code = await runProgram(['silence', ...args, '-c', config], terminal);
  return { code, ...written };
}

function tlsFiles(...chain: readonly [Identity, ...Identity[]]): {
  readonly certFile: string;
  readonly keyFile: string;
} {
  return { certFile: file('web.pem', chainPem(...chain)), keyFile: file('web.key', chain[0].keyPem) };
}

async function secured(tls: {
  readonly certFile: string;
  readonly keyFile: string;
}): Promise<{ readonly bench: WebBench; readonly users: readonly object[] }> {
  const path = file('ops.hash', await hashPassword('correct horse'));
  const options: WebBenchOptions = { config: { tls, users: [{ name: 'ops', passwordHash: { kind: 'file', path } }] } };
  return { bench: await startWeb(options), users: [{ name: 'ops', passwordHashFile: path }] };
}

describe('ftm-watch silence', () => {
  test('adds, lists and removes', async () => {
    await using web = await startWeb();

    const added = await run(web.port, [
      'add',
      '--for',
      '2h',
      '--cause',
      'tls-intercepted',
      '--subject',
      'a.example:443',
      '--comment',
      'On its way',
    ]);
    expect(added).toEqual({
      code: 0,
      output: expect.stringMatching(
        /^Added silence-1: tls-intercepted at a\.example:443 until \S+Z, by ada: On its way\n$/u,
      ),
      errors: '',
    });
    await run(web.port, [
      'add',
      '--until',
      new Date(systemClock.now() + 60_000).toISOString(),
      '--by',
      'Bob',
      '--comment',
      'All of it',
    ]);
    const listed = await run(web.port, ['list']);
    expect(listed.output.split('\n')).toEqual([
      expect.stringContaining('silence-1: tls-intercepted'),
      expect.stringMatching(/^silence-2: every cause until \S+Z, by Bob: All of it$/u),
      '',
    ]);
    const json: unknown = JSON.parse((await run(web.port, ['list', '--json'])).output);
    expect(json).toMatchObject({
      silences: [
        { id: 'silence-1', by: 'ada' },
        { id: 'silence-2', cause: null },
      ],
    });

    expect(await run(web.port, ['remove', 'silence-1', 'silence-2'])).toEqual({
      code: 0,
      output: 'Removed silence-1\nRemoved silence-2\n',
      errors: '',
    });
    expect((await run(web.port, ['list'])).output).toBe('Nothing is silenced\n');
  });

  test('says what the daemon says against it', async () => {
    await using web = await startWeb();

    expect(await run(web.port, ['add', '--for', 'ever', '--cause', 'rain', '--comment', 'x'])).toEqual({
      code: 2,
      output: '',
      errors: [
        'This silence cannot be taken',
        '- "cause": expected a cause such as "tls-intercepted", got "rain"',
        '- "duration": expected a duration such as "90s", "15m", "2h" or "7d", got "ever"',
        '',
      ].join('\n'),
    });
    expect(await run(web.port, ['remove', '../status'])).toEqual({
      code: 2,
      output: '',
      errors: 'There is no silence "../status"\n',
    });
    expect((await run(web.port, ['add', '--for', '2h'])).code).toBe(3);
  });

  test('says that the daemon does not run', async () => {
    const port = await freePort();

    const { code, errors } = await run(port, ['list']);

    expect(code).toBe(3);
    expect(errors).toBe(
      `Cannot ask ftm-watch at http://127.0.0.1:${String(port)}: nothing listens there: does "ftm-watch run" ` +
        'run, with this configuration?\n',
    );
    expect((await run(0, ['list'])).errors).toContain('web.listen has port 0');
  });

  test('says that something else listens', async () => {
    await using banner = await createTcpPeer((socket) => socket.end('220 mail.example.test ESMTP\r\n'));
    expect(await run(banner.port, ['list'])).toMatchObject({
      code: 3,
      errors: expect.stringContaining(`at http://127.0.0.1:${String(banner.port)}: `),
    });
    await using other = await startWeb({ state: { site: 'other' } });
    expect((await run(other.port, ['remove', 'x'.repeat(9_000)])).errors).toBe(
      'The answer was HTTP 431 and no silence: is it ftm-watch of this version that listens there?\n',
    );
  });

  test('verifies the daemon by its certificate file, whatever names are in it', async () => {
    const { leaf, intermediate } = await createHierarchy({ dnsNames: ['monitor.example.test'] });
    const tls = tlsFiles(leaf, intermediate);
    const { bench, users } = await secured(tls);
    await using web = bench;
    const env = { FTM_WATCH_USER: 'ops', FTM_WATCH_PASSWORD: 'correct horse' };

    expect(await run(web.port, ['list'], { web: { tls, users }, env })).toEqual({
      code: 0,
      output: 'Nothing is silenced\n',
      errors: '',
    });

    const renewed = await createIdentity({ name: 'CN=monitor.example.test', issuer: intermediate, authority: false });
    const another = { certFile: file('other.pem', chainPem(renewed, intermediate)), keyFile: tls.keyFile };
    expect((await run(web.port, ['list'], { web: { tls: another, users }, env })).errors).toContain(
      'another certificate than',
    );
    const stranger = {
      certFile: file('stranger.pem', (await createIdentity({ name: 'CN=stranger' })).pem),
      keyFile: tls.keyFile,
    };
    expect(await run(web.port, ['list'], { web: { tls: stranger, users }, env })).toMatchObject({
      code: 3,
      output: '',
    });
    expect((await run(web.port, ['list'], { web: { users }, env })).errors).toContain('web.tls');
  });

  test('needs the user and the password where users are configured, and prints neither', async () => {
    const { bench, users } = await secured(tlsFiles((await createHierarchy()).leaf));
    await using web = bench;
    const tls = { certFile: join(folder, 'web.pem'), keyFile: join(folder, 'web.key') };

    const without = await run(web.port, ['list'], { web: { tls, users } });
    expect([without.code, without.errors]).toEqual([
      3,
      expect.stringContaining('expected FTM_WATCH_USER and FTM_WATCH_PASSWORD'),
    ]);
    const wrong = await run(web.port, ['list'], {
      web: { tls, users },
      env: { FTM_WATCH_USER: 'ops', FTM_WATCH_PASSWORD: 'hunter2' },
    });
    expect([wrong.code, wrong.errors]).toEqual([3, expect.stringContaining('refused the login')]);
    expect(wrong.errors).not.toContain('hunter2');
  });
});
