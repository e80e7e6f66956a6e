import { deadline } from '../../system/clock.ts';
import type { Millis } from '../../core/clock.ts';
import type { EndpointObservation, Failure } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeEndpoint, type EndpointLimits, type EndpointRequest } from '../target/observe-endpoint.ts';
import { startApart } from '../../schedule/start-apart.ts';
import { requestOf, type PathTarget, type PathTools } from '../target/observe-path.ts';

/** One connection after the other begins, since all at once would be told apart from none by no firewall. */
const GAP: Millis = 25;

/**
 * More patient than a round: a connection that lost packets gets there in the end (a SYN is repeated after 1, 2, 3, 4
 * and 6 s, or after 1, 3 and 7 s), one that a firewall or a dead server swallows never does.
 */
const LIMITS: EndpointLimits = { tcp: 7_500, tls: 7_500, http: 0 };
const WHOLE: Millis = 10_000;
/** By then a connection to the address has worked, or none will: a plain outage is told no later for the burst. */
const NONE_WORKS: Millis = 3_500;

/**
 * Makes further connections to addresses of the licence server, up to the end of the handshake. Never rejects: what the
 * time was too short for is `aborted`.
 * @param addresses one for each connection
 * @param tools `burstLimit`: how long each step of a connection may take, where 7.5 s are too long
 */
export async function observeBurst(
  target: PathTarget,
  addresses: readonly string[],
  tools: PathTools & { readonly burstLimit?: Millis },
  ctx: ProbeContext,
): Promise<readonly EndpointObservation[]> {
  if (addresses.length === 0) return [];
  using whole = deadline(ctx.clock, WHOLE, ctx.signal);
  const waits = new Map(addresses.map((address) => [address, new AbortController()]));
  const worked = new Set<string>();
  const cancel = ctx.clock.after(NONE_WORKS, () => {
    for (const [address, hopeless] of waits) if (!worked.has(address)) hopeless.abort();
  });
  const apart = { clock: ctx.clock, signal: whole.signal, gap: GAP };
  const limit = Math.min(LIMITS.tcp, tools.burstLimit ?? LIMITS.tcp);
  const limits: EndpointLimits = { ...LIMITS, tcp: limit, tls: limit };
  const seen = await startApart(addresses, apart, async (address) => {
    const hopeless = waits.get(address)?.signal;
    const signal = hopeless === undefined ? whole.signal : AbortSignal.any([whole.signal, hopeless]);
    const request: EndpointRequest = { ...requestOf(target, address), depth: 'tls' };
    const endpoint = await observeEndpoint(request, { ...ctx, signal }, { ...tools.endpoint, limits });
    if (endpoint.tls?.kind === 'established' || endpoint.tls?.kind === 'client-certificate-demanded')
      worked.add(address);
    return hopeless?.aborted === true && !whole.signal.aborted ? unanswered(endpoint) : endpoint;
  });
  cancel();
  return seen;
}

/** Given up because none had worked, which is an answer: they all had the time that a connection of a round has. */
function unanswered(seen: EndpointObservation): EndpointObservation {
  const { tcp, tls } = seen;
  if (tcp.kind === 'failed') return { ...seen, tcp: asTimeout(tcp) };
  return tls?.kind === 'failed' ? { ...seen, tls: { ...tls, ...asTimeout(tls) } } : seen;
}

function asTimeout(failure: Failure): Failure {
  if (failure.reason !== 'aborted') return failure;
  return { ...failure, reason: 'timeout', message: `No result within ${String(Math.round(failure.durationMs))} ms` };
}
