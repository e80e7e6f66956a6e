import { portOf } from '../../core/authority.ts';
import type { Millis } from '../../core/clock.ts';
import type { EndpointObservation } from '../../core/observation.ts';
import type { PathObservation } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import { measureConnects } from '../target/measure-connects.ts';
import type { PathTools } from '../target/observe-path.ts';

/**
 * Measures once more how far the control hosts are, one connection after the other, when every address of a target
 * refuses: only against that does the time of a refusal mean anything. Empty otherwise, and through a proxy.
 */
export async function observeNearest(
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  tools: Pick<PathTools, 'endpoint'>,
  ctx: ProbeContext,
): Promise<readonly Millis[]> {
  if (path.endpoints.length === 0 || !path.endpoints.every(isRefused)) return [];
  const connects: Millis[] = [];
  for (const { host, endpoints } of controls) {
    for (const { address, target } of endpoints.filter(isOpen)) {
      const port = Number(portOf(target));
      connects.push(...(await measureConnects({ host, port }, address, tools.endpoint, ctx)));
    }
  }
  return connects;
}

function isRefused({ tcp, proxy }: EndpointObservation): boolean {
  return proxy === null && tcp.kind === 'failed' && ['refused', 'reset', 'closed', 'no-route'].includes(tcp.reason);
}

function isOpen({ tcp, proxy }: EndpointObservation): boolean {
  return proxy === null && tcp.kind === 'open';
}
