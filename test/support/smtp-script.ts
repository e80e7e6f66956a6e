import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * What a scripted server sends back: a reply as it is (with its line breaks), nothing, or the end of the connection.
 */
export type ScriptedReply = string | null | typeof CLOSE | typeof RESET;

export const CLOSE: unique symbol = Symbol('close');
export const RESET: unique symbol = Symbol('reset');

export interface SmtpScript {
  /** Sent to everybody who connects. @default an ordinary greeting */
  readonly greeting?: ScriptedReply;
  /** How long everybody waits for it. */
  readonly greetAfterMs?: number;
  /** How long everybody waits for each reply. */
  readonly replyAfterMs?: number;
  /** Instead of a greeting: one byte of an endless one at a time. */
  readonly trickleEveryMs?: number;
  /** For each line that comes in. */
  readonly onLine?: (line: string) => ScriptedReply;
}

/** A server on 127.0.0.1 that says what the script says: for everything that a real mail server would not do. */
export interface ScriptedSmtp extends AsyncDisposable {
  readonly port: number;
  /** Every line that came in, in order. */
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

/** Everything is fine, whatever is asked. */
export function agreeable(line: string): ScriptedReply {
  return line.startsWith('EHLO')
    ? '250-scripted.example.test\r\n250 PIPELINING\r\n'
    : line === 'QUIT'
      ? '221 bye\r\n'
      : '250 fine\r\n';
}

function converse(
  socket: Socket,
  { greeting = GREETING, greetAfterMs = 0, replyAfterMs = 0, trickleEveryMs, onLine = agreeable }: SmtpScript,
  lines: string[],
): void {
  let pending = '';
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n'); end >= 0; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      lines.push(line);
      if (replyAfterMs === 0) say(socket, onLine(line));
      else
        setTimeout(() => {
          if (!socket.destroyed) say(socket, onLine(line));
        }, replyAfterMs);
    }
  });
  if (trickleEveryMs === undefined) {
    setTimeout(() => {
      if (!socket.destroyed) say(socket, greeting);
    }, greetAfterMs);
    return;
  }
  socket.write('220-');
  const timer = setInterval(() => socket.write('x'), trickleEveryMs);
  socket.once('close', () => {
    clearInterval(timer);
  });
}

function say(socket: Socket, reply: ScriptedReply): void {
  if (reply === CLOSE) socket.end();
  else if (reply === RESET) socket.resetAndDestroy();
  else if (reply !== null) socket.write(reply, 'latin1');
}
