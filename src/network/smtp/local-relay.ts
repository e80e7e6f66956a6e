import type { Socket } from 'node:net';
import { deadline } from '../../system/clock.ts';
import type { Millis } from '../../core/clock.ts';
import { openSocket } from '../connect.ts';
import type { ProbeContext } from '../context.ts';
import { abortError } from '../failure.ts';

export interface LocalRelay {
  readonly address: string;
  readonly port: number;
}

/** Where a mail server of this very machine listens. */
export const LOCAL_RELAY: LocalRelay = { address: '127.0.0.1', port: 25 };

const LIMIT: Millis = 1000;

/** RFC 5321 §4.3.1. */
const GREETING = '220';

/** Whether a mail server greets there, within a second. */
export async function greets(relay: LocalRelay, ctx: ProbeContext): Promise<boolean> {
  using limit = deadline(ctx.clock, LIMIT, ctx.signal);
  try {
    const socket = await openSocket({ ...relay, sourceAddress: null }, limit.signal);
    try {
      return (await firstBytes(socket, limit.signal)) === GREETING;
    } finally {
      socket.destroy();
    }
  } catch {
    return false;
  }
}

function firstBytes(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    function finish(): void {
      signal.removeEventListener('abort', onAbort);
    }
    function onAbort(): void {
      finish();
      reject(abortError(signal));
    }
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('data', (chunk) => {
      seen = (seen + chunk.toString('latin1', 0, GREETING.length)).slice(0, GREETING.length);
      if (seen.length < GREETING.length) return;
      finish();
      resolve(seen);
    });
    socket.on('error', (error) => {
      finish();
      reject(error);
    });
    socket.on('end', () => {
      finish();
      resolve(seen);
    });
  });
}
