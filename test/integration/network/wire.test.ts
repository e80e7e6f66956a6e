import { setTimeout as pause } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSocket } from '../../../src/network/connect.ts';
import { failureReason } from '../../../src/network/failure.ts';
import { MailSession } from '../../../src/network/smtp/session.ts';
import { Wire } from '../../../src/network/wire.ts';
import { createTcpPeer } from '../../support/network/tls-peer.ts';

const LIMIT = 64 * 1024;

async function socketTo(serve: (socket: Socket) => void): Promise<Socket> {
  const { port, ...peer } = await createTcpPeer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  onTestFinished(() => peer[Symbol.asyncDispose]());
  const socket = await openSocket({ address: '127.0.0.1', port, sourceAddress: null }, new AbortController().signal);
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function wireTo(serve: (socket: Socket) => void, signal = new AbortController().signal): Promise<Wire> {
  return new Wire(await socketTo(serve), signal);
}

/** Calls `read` until it fails. Returns what it read, and last the reason of the failure. */
async function all<T>(read: () => Promise<T>): Promise<readonly (T | string)[]> {
  const found: (T | string)[] = [];
  for (;;)
    try {
      found.push(await read());
    } catch (error) {
      return [...found, failureReason(error)];
    }
}

describe('Wire', () => {
  test.each([1, 2, 3, 7])('reads the same, however the bytes are cut: %d bytes each', async (size) => {
    const bytes = Buffer.from('a\r\n\nb\n\0\x03xyzrest');
    const send = async (socket: Socket): Promise<void> => {
      socket.setNoDelay();
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.subarray(at, at + size));
        await pause(2);
      }
      socket.end();
    };
    const wire = await wireTo((socket) => void send(socket));
    expect([await wire.readLine(LIMIT), await wire.readLine(LIMIT), await wire.readLine(LIMIT)]).toEqual([
      'a',
      '',
      'b',
    ]);
    const length = await wire.read(2);
    expect(await wire.read(0)).toHaveLength(0);
    expect((await wire.read(length.readUInt16BE(0))).toString()).toBe('xyz');
    expect((await wire.readUpTo(100)).toString()).toBe('rest');
    await expect(wire.read(1)).rejects.toMatchObject({ reason: 'closed' });
  });

  test('reads what arrived before a reset, and then says why the connection ended', async () => {
    const wire = await wireTo((socket) =>
      socket.write('one\ntwo\nthr', () => setTimeout(() => socket.resetAndDestroy(), 20)),
    );
    await pause(60);
    expect(await all(() => wire.readLine(LIMIT))).toEqual(['one', 'two', 'reset']);
    wire.write('ignored');
  });

  test.each(['nobody waits', 'somebody waits'])('notices a peer that has ended while %s', async (who) => {
    const wire = await wireTo((socket) =>
      setTimeout(() => socket.end(who === 'nobody waits' ? '' : 'half').destroySoon(), 20),
    );
    if (who === 'nobody waits') {
      await pause(60);
      // The peer resets the connection, which is not why it ended.
      wire.write('too late');
      await pause(20);
    }
    expect(await all(() => wire.read(5))).toEqual(['closed']);
  });

  test('notices a connection that had ended before', async () => {
    const socket = await socketTo((theirs) => theirs.end());
    await new Promise((resolve) => socket.resume().once('close', resolve));
    expect(await all(() => new Wire(socket, new AbortController().signal).readLine(LIMIT))).toEqual(['closed']);
  });

  test('makes a peer wait that talks without end while nobody reads', async () => {
    let sent = 0;
    const wire = await wireTo((socket) => {
      const talk = (): void => {
        do sent += 65_536;
        while (socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', talk);
      talk();
    });
    await pause(200);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    await expect(wire.readLine(LIMIT)).rejects.toMatchObject({ reason: 'protocol' });
    expect(await wire.readUpTo(10)).toHaveLength(10);
  });

  test('ends every read when the round is called off, also one that starts later', async () => {
    const round = new AbortController();
    const wire = await wireTo(() => {}, round.signal);
    const reading = all(() => wire.read(1));
    round.abort(new DOMException('Called off', 'AbortError'));
    expect(await reading).toEqual(['aborted']);
    expect(await all(() => wire.readLine(LIMIT))).toEqual(['aborted']);
    expect(await wire.readUpTo(10)).toHaveLength(0);
  });
});

describe('MailSession', () => {
  test.each<readonly [string | Buffer, string | null, string]>([
    ['220 hello\r\n', '220 hello', 'closed'],
    ['220-one\r\n220-two\r\n220 three\r\n', '220-one\n220-two\n220 three', 'closed'],
    ['220\n', '220', 'closed'],
    ['\r\n \r\n220 after nothing\r\n', '220 after nothing', 'closed'],
    ['220-grüß\r\n220 Gott\r\n', '220-grüß\n220 Gott', 'closed'],
    [Buffer.from('220 nö\r\n', 'latin1'), '220 nö', 'closed'],
    ['220-open\r\n', null, 'closed'],
    ['220 open', null, 'closed'],
    ['what?\r\n', null, 'protocol'],
    ['x'.repeat(70_000), null, 'protocol'],
    ['220-x\r\n'.repeat(10_000), null, 'protocol'],
    ['\r\n'.repeat(70_000), null, 'protocol'],
  ])('reads a greeting', async (text, greeting, reason) => {
    const socket = await socketTo((theirs) => theirs.end(text));
    const options = { socket, host: 'mail.example.test', security: 'none', tls: {} } as const;
    const session = new MailSession(options, new AbortController().signal);
    expect(await session.greet().catch(failureReason)).toBe(reason);
    expect(session.greeting).toBe(greeting);
  });
});
