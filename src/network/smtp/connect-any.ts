import type { Socket } from 'node:net';
import { deadline } from '../../system/clock.ts';
import { authority } from '../../core/addresses.ts';
import type { Millis } from '../../core/clock.ts';
import { openSocket } from '../connect.ts';
import type { ProbeContext } from '../context.ts';
import { ProbeError, errorCode, failureMessage, failureReason } from '../failure.ts';

/** With more addresses, the time for each address would be too short to distinguish slow from unreachable servers. */
const MAX_TRIED = 3;

/** Allows for two lost SYN packets, which are retransmitted after 1 s and 2 s. */
const CONNECT_LIMIT: Millis = 6000;

/** @throws {ProbeError} for the first address when all attempts fail; the signal's reason when the signal is aborted */
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
  // An error on this machine, such as an unsupported address family, does not indicate whether the address accepts
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
