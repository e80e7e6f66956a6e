import type { HostPort } from '../../core/authority.ts';
import type { Millis } from '../../core/clock.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeEndpoint, type EndpointDeps } from './observe-endpoint.ts';

/** Connects that are measured after the rush of a round, in which any of them may have been noticed late. */
const TIMES = 2;

/** How long an address takes to open a port, one connection after the other. */
export async function measureConnects(
  target: HostPort,
  address: string,
  endpoint: EndpointDeps,
  ctx: ProbeContext,
): Promise<readonly Millis[]> {
  const connects: Millis[] = [];
  for (let time = 0; time < TIMES && !ctx.signal.aborted; time += 1) {
    const { tcp } = await observeEndpoint(
      { target, address, serverName: null, proxy: null, depth: 'tcp', method: 'HEAD', path: '/' },
      ctx,
      endpoint,
    );
    if (tcp.kind === 'open') connects.push(tcp.durationMs);
  }
  return connects;
}
