import type { Socket } from 'node:net';
import { abortError } from '../failure.ts';

/** RFC 5321 §4.3.1. */
const GREETING = /^220[ -]/u;

/** Its last line; who speaks before it is taken for a spammer. */
const GREETED = /^220(?: .*)?\r?\n/mu;

/** More is no greeting. */
const MOST = 4096;

/**
 * Whether a mail server greets on a connected socket, which is closed afterwards. Nothing is said to it but QUIT.
 * @throws {Error} when the connection ends first, or the signal does before anything was said
 */
export function greets(socket: Socket, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let seen = '';
    function finish(): void {
      signal.removeEventListener('abort', onAbort);
      socket.off('data', onData).off('end', settle).off('close', settle).off('error', onError);
    }
    function settle(): void {
      finish();
      if (GREETED.test(seen)) socket.end('QUIT\r\n');
      else socket.destroy();
      socket.resume();
      resolve(GREETING.test(seen));
    }
    function onData(chunk: Buffer): void {
      seen += chunk.toString('latin1', 0, MOST);
      if (GREETED.test(seen) || !'220'.startsWith(seen.slice(0, 3)) || seen.length >= MOST) settle();
    }
    function onError(error: Error): void {
      finish();
      reject(error);
    }
    function onAbort(): void {
      if (seen !== '') {
        settle();
        return;
      }
      finish();
      socket.destroy();
      reject(abortError(signal));
    }
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('data', onData).on('end', settle).on('close', settle).on('error', onError);
  });
}
