import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../../src/web/password-hash.ts';
import { askSocket } from '../../support/process/control-socket.ts';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';
import { basicAuth } from '../../support/web/web-bench.ts';

/** An address that the daemon treats as another machine, because it is outside the loopback range. */
const STRANGER = '198.51.100.7';
const PORT = 9843;
const ADD = JSON.stringify({ duration: '2h', by: 'Mallory', comment: 'x' });
const CHANGES = [
  ['POST', '/-/reload', ''],
  ['POST', '/api/v1/silences', ADD],
  ['DELETE', '/api/v1/silences/silence-1', ''],
] as const;

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request and prints the response. A separate program, because it runs in the sandbox. */
const CLIENT = `
const { from, body = '', ...options } = JSON.parse(process.argv[1]);
const headers = { 'Content-Type': 'application/json', 'Content-Length': body.length, ...options.headers };
require('node:http').request({ host: '127.0.0.1', port: ${String(PORT)}, localAddress: from, ...options, headers }, (response) => {
  let text = '';
  response.on('data', (chunk) => (text += chunk)).on('end', () => console.log(JSON.stringify({ status: response.statusCode, text })));
}).end(body);`;

describeWhere(['root', 'network-namespaces'], 'a daemon whose page listens on the network', () => {
  let folder: string;
  let sandbox: Sandbox;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ftm-watch-changes-'));
    sandbox = await createSandbox();
    sandbox.sh(`ip address add ${STRANGER}/32 dev lo`);
  });

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  function ask(from: string, request: Request): { readonly status: number; readonly text: string } {
    const [command = '', ...rest] = sandbox.prefix;
    const said = execFileSync(
      command,
      [...rest, process.execPath, '-e', CLIENT, JSON.stringify({ from, ...request })],
      {
        encoding: 'utf8',
      },
    );
    return JSON.parse(said) as { readonly status: number; readonly text: string };
  }

  async function start(
    web: object,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ReturnType<typeof startDaemonProcess>> {
    const file = join(folder, 'ftm-watch.yaml');
    await writeFile(
      file,
      JSON.stringify({ web: { listen: `0.0.0.0:${String(PORT)}`, ...web }, store: { path: 'data/changes.sqlite' } }),
    );
    const daemon = startDaemonProcess({ cwd: folder, prefix: sandbox.prefix, args: ['-c', file], env });
    await daemon.page();
    return daemon;
  }

  test('takes changes over the network from nobody while it has no accounts, whatever a header says', async () => {
    await using _daemon = await start({});
    const forged = {
      'X-Forwarded-For': '127.0.0.1',
      Forwarded: 'for=127.0.0.1',
      'X-Real-IP': '127.0.0.1',
      Host: 'localhost',
    };
    for (const from of [STRANGER, '127.0.0.1'])
      for (const headers of [{}, forged])
        for (const [method, path, body] of CHANGES) {
          const { status, text } = ask(from, { method, path, body, headers });
          expect({ path, status }).toEqual({ path, status: 403 });
          expect(text).toContain('Add web.users. On this machine, run ');
        }
    expect(ask(STRANGER, { method: 'GET', path: '/api/v1/silences' })).toMatchObject({
      status: 200,
      text: expect.not.stringContaining('Mallory'),
    });
    const socket = join(folder, 'data/changes.sqlite.sock');
    const headers = { 'Content-Type': 'application/json' };
    expect(await askSocket(socket, { method: 'POST', path: '/api/v1/silences', headers, body: ADD })).toMatchObject({
      status: 201,
    });
    expect(await askSocket(socket, { method: 'POST', path: '/-/reload' })).toMatchObject({ status: 200 });
  });

  test('with "localReload" takes a reload, and nothing else, from its own loopback interface alone', async () => {
    await using _daemon = await start({ localReload: true });
    for (const [method, path, body] of CHANGES) {
      expect(ask(STRANGER, { method, path, body }).status).toBe(403);
      expect(ask('127.0.0.1', { method, path, body }).status).toBe(path === '/-/reload' ? 200 : 403);
    }
  });

  test('takes them from everywhere with a password', async () => {
    const OPS_HASH = await hashPassword('secret', { ln: 4, r: 8, p: 1 });
    await using _daemon = await start({ users: [{ name: 'ops', passwordHashEnv: 'OPS_HASH' }] }, { OPS_HASH });
    const reload = { method: 'POST', path: '/-/reload' };
    expect(ask(STRANGER, reload).status).toBe(401);
    expect(ask(STRANGER, { ...reload, headers: { ...basicAuth('ops', 'secret').headers } }).status).toBe(200);
  });
});
