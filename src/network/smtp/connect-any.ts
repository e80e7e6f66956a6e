import type { Socket } from 'node:net';
import { deadline } from '../../system/clock.ts';
import { authority } from '../../core/addresses.ts';
import type { Millis } from '../../core/clock.ts';
import { openSocket } from '../connect.ts';
import type { ProbeContext } from '../context.ts';
import { ProbeError, errorCode, failureMessage, failureReason, abortError } from '../failure.ts';

/** With more addresses, the time for each address would be too short to distinguish slow from unreachable servers. */
const MAX_TRIED = 3;

/** Allows for two lost SYN packets, which are retransmitted after 1 s and 2 s. */
const CONNECT_LIMIT: Millis = 6000;

/**
 * @throws {ProbeError} about the first address when all attempts fail; the signal's reason when the signal is aborted
 */
export async function connectToAny(
  addresses: readonly string[],
  port: number,
  ctx: ProbeContext,
  signal: AbortSignal,
): Promise<Socket> {
  const tried = addresses.slice(0, MAX_TRIED);
  const errors: ProbeError[] = [];
  for (const address of tried) {
    using attempt = deadline(ctx.clock, CONNECT_LIMIT / tried.length, signal);
    try {
      return await openSocket({ address, port, sourceAddress: ctx.sourceAddress }, attempt.signal);
    } catch (error) {
      signal.throwIfAborted();
      errors.push(aboutAddress(address, port, error));
    }
  }
  // An error on this machine, such as an unsupported address family, does not show whether the address accepts
  // connections.
  throw (
    errors.find(({ reason }) => reason === 'internal') ??
    errors.find(({ reason }) => reason !== 'no-route') ??
    errors[0] ??
    new ProbeError('internal', 'The mail server has no address')
  );
}

function aboutAddress(address: string, port: number, error: unknown): ProbeError {
  // EHOSTUNREACH means that there was no ARP reply, or that a router on the path returned an error. Unlike ENETUNREACH,
  // it is not caused by a missing local route.
  const reason = errorCode(error) === 'EHOSTUNREACH' ? 'timeout' : failureReason(error);
  return new ProbeError(reason, `Cannot connect to ${authority({ host: address, port })}: ${failureMessage(error)}`, {
    cause: error,
  });
}

/** First line of an SMTP greeting (RFC 5321 §4.3.1). */
const GREETING = /^220[ -]/u;

/** Last line of an SMTP greeting. Mail servers treat clients as spammers if they send data before this line. */
const GREETED = /^220(?: .*)?\r?\n/mu;

/** Maximum length of an SMTP greeting in bytes. */
const MOST = 4096;

/**
 * Reports whether a mail server sends a greeting on a connected socket. Sends only QUIT, and closes the socket
 * afterwards.
 * @throws {Error} when the connection ends or the signal is aborted before anything is received
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
