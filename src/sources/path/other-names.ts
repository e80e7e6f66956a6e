import { isIP } from 'node:net';
import { addressInAny, singleAddresses, translatedFrom } from '../../core/addresses.ts';
import type { DnsObservation } from '../../core/observation.ts';
import type { PathObservation } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import type { PathTarget, PathTools } from '../target/observe-path.ts';

/**
 * Asks a resolver that answers for the target with an error or with a strange address for the names of the control
 * hosts too: whether it does the same to every name tells a resolver that is broken from a filter. The system's resolver
 * is asked for the target once more with a dot at its end, for which it takes neither the hosts file nor a search list.
 * Silence needs no comparison.
 */
export async function observeOtherNames(
  target: PathTarget,
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  { askName, acceptable }: Pick<PathTools, 'askName' | 'acceptable'>,
  ctx: ProbeContext,
): Promise<readonly DnsObservation[]> {
  if (ctx.signal.aborted) return [];
  const hosts = controls.map(({ host }) => host).filter((host) => isIP(host) === 0);
  const doubtful = target.resolvers.filter(({ label }) => {
    const seen = path.names.find(({ resolver }) => resolver === label);
    if (seen === undefined || !isAnswered(seen)) return false;
    return !isExpected(seen, acceptable([seen], target.expectedAddresses), target.expectedAddresses);
  });
  const asked = doubtful.flatMap((resolver) => [
    ...hosts.map((host) => askName(host, resolver, ctx)),
    ...(resolver.kind === 'system' ? [askName(`${target.host}.`, resolver, ctx)] : []),
  ]);
  return Promise.all(asked);
}

function isAnswered({ a, aaaa }: DnsObservation): boolean {
  return a.kind === 'answer' || aaaa.kind === 'answer';
}

function isExpected({ a, aaaa }: DnsObservation, fine: readonly string[], expected: readonly string[]): boolean {
  const given = new Set([a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : [])));
  const sameName = [...fine, ...singleAddresses(expected)];
  const isListed = (address: string): boolean => addressInAny(translatedFrom(address, sameName) ?? address, expected);
  return fine.length > 0 && fine.length >= given.size && (expected.length === 0 || fine.every(isListed));
}
