import type { Socket } from 'node:net';
import { deadline } from '../../system/clock.ts';
import type { Millis } from '../../core/clock.ts';
import { openSocket } from '../connect.ts';
import type { ProbeContext } from '../context.ts';
import { ProbeError, errorCode, failureMessage, failureReason } from '../failure.ts';

/** More addresses than these are not tried: the time for each would be too short to tell slow from dead. */
const MAX_TRIED = 3;

/** Together for all attempts; the rest of the time is for the dialogue. Longer than two lost SYNs (1 s, 2 s later). */
const CONNECT_LIMIT: Millis = 6000;

/**
 * Connects to the first address that accepts, one after the other as a mail client does.
 * @throws {ProbeError} about the first address, naming it, when none accepts; the signal's reason when it is aborted
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
  // Our own trouble with one address leaves open whether it accepts; an address family that this machine does not have
  // says nothing.
  throw (
    errors.find(({ reason }) => reason === 'internal') ??
    errors.find(({ reason }) => reason !== 'no-route') ??
    errors[0] ??
    new ProbeError('internal', 'There is no address to connect to')
  );
}

function aboutAddress(address: string, port: number, error: unknown): ProbeError {
  const at = `${address.includes(':') ? `[${address}]` : address}:${String(port)}`;
  // Nobody answered ARP, or a router on the way gave up: unlike ENETUNREACH this is not about our own routes.
  const reason = errorCode(error) === 'EHOSTUNREACH' ? 'timeout' : failureReason(error);
  return new ProbeError(reason, `Cannot connect to ${at}: ${failureMessage(error)}`, { cause: error });
}
