import { isIP } from 'node:net';

import type { CloserLook } from '../core/closer-look.ts';
import { endingOf, isBlocked } from '../core/interception/block-kind.ts';
import type { EndpointObservation, TlsOutcome } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import type { ProbeContext } from '../probes/context.ts';
import { observeEndpoint } from '../probes/endpoint/observe.ts';
import { createRefusableSecureContext } from '../probes/endpoint/secure-context.ts';
import { measureConnects } from './measure-connects.ts';
import type { PathTarget, PathTools } from './observe-path.ts';

interface Seen {
  readonly path: PathObservation;
  readonly controls: readonly PathObservation[];
}

/**
 * Asks the first address that blocks TLS three more times, at once, to tell what kind of block it is: with the same hello, with another
 * server name, and with a hello that can only be refused; then how far it is, where it cut the connection. Null: nothing is blocked, or the answer says itself who sent it.
 */
export async function observeClosely(
  target: PathTarget,
  { path, controls }: Seen,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<Omit<CloserLook, 'stalledMs'> | null> {
  const first = path.endpoints.find(({ tls }) => isBlocked(tls) && tls.plaintext === null);
  if (first === undefined || ctx.signal.aborted) return null;
  const { host, port, proxy, serverName } = target;
  const look = (name: string | null, endpoint = tools.endpoint): Promise<EndpointObservation> =>
    observeEndpoint(
      { target: { host, port }, address: first.address, serverName: name, proxy, depth: 'tls', method: 'GET', path: '/' },
      ctx,
      endpoint,
    );
  const name = otherName(serverName, controls);
  const [again, other, refused] = await Promise.all([
    look(serverName),
    serverName === null ? null : look(name),
    look(serverName, { ...tools.endpoint, secureContext: createRefusableSecureContext() }),
  ]);
  // Silence has no time that could be compared.
  const isMeasured = proxy === null && isBlocked(first.tls) && endingOf(first.tls) === 'cut';
  const measured = isMeasured ? await measureConnects({ host, port }, first.address, tools.endpoint, ctx) : [];
  return {
    address: first.address,
    connects: isMeasured ? [...[first, again, other, refused].flatMap(connectTime), ...measured] : [],
    again: again.tls,
    otherName: other === null || other.tls === null ? null : { name, outcome: other.tls },
    refusable: refused.tls,
    controls: controls.flatMap(({ endpoints }) => endpoints.flatMap(({ tls }): readonly TlsOutcome[] => (tls === null ? [] : [tls]))),
  };
}

/** A filter may well cover the whole domain of the vendor; where no other name is at hand, none is sent. */
function otherName(serverName: string | null, controls: readonly PathObservation[]): string | null {
  return controls.map(({ host }) => host).find((host) => isIP(host) === 0 && domainOf(host) !== domainOf(serverName ?? '')) ?? null;
}

function domainOf(host: string): string {
  return host.toLowerCase().split('.').slice(-2).join('.');
}

function connectTime(seen: EndpointObservation | null): readonly number[] {
  return seen?.tcp.kind === 'open' ? [seen.tcp.durationMs] : [];
}
