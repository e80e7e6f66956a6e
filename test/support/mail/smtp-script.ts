import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock, Millis } from '../../../src/core/clock.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { trickle } from '../../../src/demo/lab/trickle.ts';

/**
 * The reaction of a scripted server: a reply that is sent unchanged (with its line breaks), nothing, or the end of
 * the connection.
 */
export type ScriptedReply = string | null | typeof CLOSE | typeof RESET;

export const CLOSE: unique symbol = Symbol('close');
export const RESET: unique symbol = Symbol('reset');

export interface SmtpScript {
  /** Sent to every client. @default an ordinary greeting */
  readonly greeting?: ScriptedReply;
  /** Delay of the greeting for every client. */
  readonly greetAfter?: Millis;
  /** Delay of each reply for every client. */
  readonly replyAfter?: Millis;
  /** If set, sends an endless greeting instead, one byte at a time. */
  readonly trickleEvery?: Millis;
  /** @default the real one */
  readonly clock?: Clock;
  /** Called for each line received. */
  readonly onLine?: (line: string) => ScriptedReply;
}

/** A server on 127.0.0.1 that follows a script, for everything that a real mail server would not do. */
export interface ScriptedSmtp extends AsyncDisposable {
  readonly port: number;
  /** All lines received, in order. */
  readonly lines: readonly string[];
  /** Resolves when a client has connected. */
  readonly connected: Promise<void>;
}

const GREETING = '220 scripted.example.test ESMTP\r\n';

export async function createScriptedSmtp(script: SmtpScript = {}): Promise<ScriptedSmtp> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    converse(socket, script, lines);
  });
  const connected = once(server, 'connection').then(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    connected,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Accepts every command. */
export function agreeable(line: string): ScriptedReply {
  return line.startsWith('EHLO')
    ? '250-scripted.example.test\r\n250 PIPELINING\r\n'
    : line === 'QUIT'
      ? '221 bye\r\n'
      : '250 fine\r\n';
}

/** A script that accepts every command but those that match, to which it gives this reply. */
export function replyingTo(command: RegExp, reply: ScriptedReply): Pick<SmtpScript, 'onLine'> {
  return { onLine: (line) => (command.test(line) ? reply : agreeable(line)) };
}

function converse(
  socket: Socket,
  {
    greeting = GREETING,
    greetAfter = 0,
    replyAfter = 0,
    trickleEvery,
    onLine = agreeable,
    clock = systemClock,
  }: SmtpScript,
  lines: string[],
): void {
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      lines.push(line);
      if (replyAfter === 0) say(socket, onLine(line));
      else
        clock.after(replyAfter, () => {
          if (!socket.destroyed) say(socket, onLine(line));
        });
    }
  });
  if (trickleEvery === undefined) {
    clock.after(greetAfter, () => {
      if (!socket.destroyed) say(socket, greeting);
    });
    return;
  }
  socket.write('220-');
  trickle(socket, Buffer.from('x'), { clock, every: trickleEvery });
}

function say(socket: Socket, reply: ScriptedReply): void {
  if (reply === CLOSE) socket.end();
  else if (reply === RESET) socket.resetAndDestroy();
  else if (reply !== null) socket.write(reply, 'latin1');
}
