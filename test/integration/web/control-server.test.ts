import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { SocketTaken } from '../../../src/web/http-server.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { askSocket } from '../../support/process/control-socket.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const LISTEN = `
  require('node:net').createServer().listen(process.argv[1], () => console.log('listening'));`;

const folder = folderOfEachTest();
let path: string;

beforeEach(() => {
  path = folder.at('control.sock');
});

async function post(route: string): Promise<string> {
  const { status, text } = await askSocket(path, { method: 'POST', path: route });
  return `${String(status)} ${text}`;
}

describe('startControlServer()', () => {
  test('lets the owner and the group change what they like, and nobody else in', async () => {
    await using control = await startControl(path);
    expect(statSync(path).mode.toString(8)).toBe('140660');
    expect(await post('/-/reload')).toBe('200 Configuration reloaded\n');
    expect(control.state.reloads).toBe(1);
  });

  test('marks a name that was only claimed', async () => {
    await using control = await startControl(path);
    const body = JSON.stringify({ duration: '2h', by: 'The CISO', comment: 'x' });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await askSocket(path, { method: 'POST', path: '/api/v1/silences', headers, body });
    expect(answer.status).toBe(201);
    expect(control.state.silences.map(({ by }) => by)).toEqual(['local (claimed: The CISO)']);
  });

  test('leaves no socket behind', async () => {
    await (await startControl(path)).server.stop();
    expect(existsSync(path)).toBe(false);
  });

  test('takes the place of the socket of a daemon that was killed, and of a link that a daemon has left', async () => {
    const killed = spawn(process.execPath, ['-e', LISTEN, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(statSync(path).isSocket()).toBe(true);
    await (await startControl(path)).server.stop();
    symlinkSync('/run/none/control.sock', path);
    await using _ = await startControl(path);
    expect(await post('/-/reload')).toMatch(/^200 /u);
  });

  test('refuses the place of a daemon that answers', async () => {
    await using _ = await startControl(path);
    await expect(startControl(path)).rejects.toThrow(SocketTaken);
    expect(await post('/-/reload')).toMatch(/^200 /u);
  });

  test('leaves a file alone', async () => {
    writeFileSync(path, 'precious');
    await expect(startControl(path)).rejects.toThrow(`Cannot listen at "${path}": a file with this name exists`);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('refuses a path that the operating system would cut off', async () => {
    const long = folder.at('x'.repeat(100));
    await expect(startControl(long)).rejects.toThrow(`"${long}": the path must be at most 107 bytes long`);
  });
});
