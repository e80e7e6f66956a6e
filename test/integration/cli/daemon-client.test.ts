import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createDaemonClient, type DaemonAnswer, NoDaemon } from '../../../src/cli/daemon-client.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';
const MEBIBYTE = Buffer.alloc(1024 * 1024, ' ');

interface Asked {
  readonly answer: DaemonAnswer | null;
  readonly error: unknown;
}

/** Asks something that answers each request in this way. */
async function ask(
  answer: (socket: Socket) => void,
  limit: number,
  signal = AbortSignal.timeout(20_000),
): Promise<Asked> {
  const socket = folder.at('control.sock');
  const sockets = new Set<Socket>();
  const server = createServer((connection) => {
    sockets.add(connection);
    connection.on('error', () => undefined);
    connection.once('data', () => answer(connection));
  }).listen(socket);
  await once(server, 'listening');
  try {
    const daemon = await createDaemonClient({ socket, storePath: null }, { clock: systemClock, signal }, limit);
    return { answer: await daemon.ask('POST', '/api/v1/silences', { comment: 'x' }), error: null };
  } catch (error) {
    return { answer: null, error };
  } finally {
    for (const each of sockets) each.destroy();
    server.close();
  }
}

function drip(socket: Socket, first: string, more: string): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(more), 20);
  socket.once('close', () => clearInterval(timer));
}

describe('what listens on the socket', () => {
  test.each([
    ['accepts and says nothing', () => undefined],
    ['sends its header slowly', (socket: Socket) => drip(socket, HEAD, 'x: x\r\n')],
    ['sends its body slowly', (socket: Socket) => drip(socket, `${HEAD}\r\n`, '{')],
    [
      'sends its chunks slowly',
      (socket: Socket) => drip(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\n{\r\n'),
    ],
    ['sends only interim responses', (socket: Socket) => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ])('%s: does not answer in time', async (_, answer) => {
    const { error } = await ask(answer, 300);
    expect(error).toMatchObject({ message: expect.stringMatching(/suspended/u) });
  });

  test.each([
    ['closes the connection', (socket: Socket) => socket.end()],
    ['resets the connection', (socket: Socket) => socket.destroy()],
    ['ends within the header', (socket: Socket) => socket.end(HEAD)],
    ['ends within the body', (socket: Socket) => socket.end(`${HEAD}content-length: 9\r\n\r\n{}`)],
    ['ends within a chunk', (socket: Socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n9\r\n{}`)],
    ['speaks another protocol', (socket: Socket) => socket.end('220 mail.example.test ESMTP\r\n')],
    ['switches protocols', (socket: Socket) => socket.write(SWITCHING)],
    ['sends two lengths', (socket: Socket) => socket.write(`${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`)],
    ['sends a long header', (socket: Socket) => socket.write(`${HEAD}x: ${'x'.repeat(100_000)}\r\n\r\n`)],
    [
      'sends an answer without end',
      (socket: Socket) => {
        socket.write(`${HEAD}\r\n`);
        const more = (): void => void (socket.write(MEBIBYTE) ? setImmediate(more) : socket.once('drain', more));
        more();
      },
    ],
  ])('%s: cannot be used', async (_, answer) => {
    const { error } = await ask(answer, 15_000);
    expect(error).not.toBeInstanceOf(NoDaemon);
    expect(error).toMatchObject({ message: expect.stringContaining(`"${folder.at('control.sock')}": `) });
  });

  test('answers after an interim response, in chunks', async () => {
    const body = 'transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n';
    const { answer } = await ask((socket) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}${body}`), 15_000);
    expect(answer).toEqual({ status: 200, text: '{}', json: {} });
  });

  test('answers nothing that is waited for after Ctrl-C', async () => {
    const stopping = new AbortController();
    const { error } = await ask(() => stopping.abort(new Error('Stopped')), 15_000, stopping.signal);
    expect(error).toMatchObject({ message: expect.stringContaining(': Stopped') });
  });
});
