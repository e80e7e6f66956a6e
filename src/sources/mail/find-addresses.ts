import { isIP } from 'node:net';
import type { HostPort } from '../../core/authority.ts';
import { isOfThisMachine, isOwnTrouble, type DnsObservation, type Failure } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import type { PathSettings } from '../path/settings.ts';
import { askInTurn } from '../target/ask-in-turn.ts';
import type { PathTools } from '../target/observe-path.ts';

export type FindTools = Pick<PathTools, 'askName' | 'acceptable'>;

export type Resolving = Pick<PathSettings, 'resolvers'>;

export interface FoundAddresses {
  /** None: the name does not resolve. */
  readonly addresses: readonly string[];
  /** The fault of this machine for which it could not be resolved. */
  readonly localError: Failure | null;
}

/** A mail server of your own may well have a private address. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** Asks one resolver after the other until one knows the mail server. */
export async function findAddresses(
  { host }: Pick<HostPort, 'host'>,
  { resolvers }: Resolving,
  tools: FindTools,
  ctx: ProbeContext,
): Promise<FoundAddresses> {
  if (isIP(host) !== 0) return { addresses: [host], localError: null };
  const addressesIn = (seen: readonly DnsObservation[]): readonly string[] => tools.acceptable(seen, ANY_ADDRESS);
  const isEnough = (seen: readonly DnsObservation[]): boolean => addressesIn(seen).length > 0;
  const observations = await askInTurn(host, resolvers, { ...tools, isEnough }, ctx);
  const addresses = addressesIn(observations);
  if (addresses.length > 0) return { addresses, localError: null };
  const failures = observations.map(({ a }) => a).filter((reply) => reply.kind === 'failed');
  const couldNotAsk = failures.length === observations.length ? isOfThisMachine : isOwnTrouble;
  return { addresses: [], localError: failures.find(({ reason }) => couldNotAsk(reason)) ?? null };
}
