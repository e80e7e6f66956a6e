import { isIP } from 'node:net';
import { addressFamily } from '../core/addresses.ts';
import { isOfThisMachine } from '../core/observation.ts';
import type { Destination } from './connect.ts';
import { ProbeError, failureMessage, failureReason } from './failure.ts';
import { lookUp, type SystemLookup } from './system-lookup.ts';

export interface Located {
  readonly host: string;
  readonly port: number;
  readonly sourceAddress: string | null;
}

/**
 * Where to dial a helper of the probes (a resolver, a time server): a literal address as it is, a name through the
 * system. IPv4 is preferred, or the family of the source address; one address only, since what is wanted is one honest
 * attempt.
 * @throws {ProbeError} `name-not-resolved`, or what kept this machine from asking
 */
export async function locate(
  { host, port, sourceAddress }: Located,
  system: SystemLookup,
  signal: AbortSignal,
): Promise<Destination> {
  if (isIP(host) !== 0) return { address: host, port, sourceAddress };
  try {
    const found = await lookUp(system, host, signal);
    const addresses = found.map(({ address }) => address);
    const family = sourceAddress === null ? 4 : addressFamily(sourceAddress);
    const address = addresses.find((candidate) => addressFamily(candidate) === family) ?? addresses[0];
    if (address !== undefined) return { address, port, sourceAddress };
  } catch (error) {
    if (isOfThisMachine(failureReason(error))) throw error;
    throw notFound(host, failureMessage(error), error);
  }
  throw notFound(host, 'it has no address');
}

function notFound(host: string, why: string, cause?: unknown): ProbeError {
  return new ProbeError('name-not-resolved', `The system does not resolve the server's own name "${host}": ${why}`, {
    cause,
  });
}
