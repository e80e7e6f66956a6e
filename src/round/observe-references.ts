import { isIP } from 'node:net';

import type { PathObservation, ReferenceObservation } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import { observeEndpoint, type EndpointRequest } from './endpoint.ts';
import { requestOf, type PathTarget, type PathTools } from './path.ts';

export interface ReferenceTools extends PathTools {
  /** Whether what the straight way showed needs a second opinion; a genuine chain is not asked for again each round. */
  readonly needsReference: (path: PathObservation, controls: readonly PathObservation[]) => boolean;
}

/** Asks the same address for the certificate of another name: an inspecting device signs that one as well. */
export async function observeReferences(
  target: PathTarget,
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  tools: ReferenceTools,
  ctx: ProbeContext,
): Promise<readonly ReferenceObservation[]> {
  const endpoint = path.endpoints.find(({ tls }) => tls !== null && tls.kind !== 'failed');
  const other = controls.map(({ host }) => host).find((host) => isIP(host) === 0 && host !== target.serverName);
  if (endpoint === undefined || other === undefined || ctx.signal.aborted || !tools.needsReference(path, controls))
    return [];
  const request: EndpointRequest = { ...requestOf(target, endpoint.address), serverName: other, depth: 'tls' };
  const seen = await observeEndpoint(request, ctx, tools.endpoint);
  return seen.tls === null ? [] : [{ kind: 'server-name', label: other, isFresh: true, outcome: seen.tls }];
}
