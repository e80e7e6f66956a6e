import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDaemonProcess } from '../../support/process/daemon-process.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';

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

  test('with "localReload" takes a reload, and nothing else, from its own loopback interface alone', async () => {
    await using _daemon = await start({ localReload: true });
    for (const [method, path, body] of CHANGES) {
      expect(ask(STRANGER, { method, path, body }).status).toBe(403);
      expect(ask('127.0.0.1', { method, path, body }).status).toBe(path === '/-/reload' ? 200 : 403);
    }
  });
});
