import { isIP } from 'node:net';
import { isDoubtfulAnswer } from '../checks/name-resolution/judge.ts';
import { isVersionDecisive } from '../checks/tls-genuine/judge-older-tls.ts';
import { controlChainsOf, judgeTlsPath, needsReference } from '../checks/tls-genuine/judge-path.ts';
import {
  type BlockedOutcome,
  type CloserLook,
  type DnsObservation,
  endingOf,
  type EndpointObservation,
  isBlocked,
  type TlsOutcome,
} from '../core/observation.ts';
import type { PathObservation, ReferenceObservation } from '../core/round.ts';
import { createRefusableSecureContext } from '../network/tls/secure-context.ts';
import { type EndpointDeps, type EndpointRequest, observeEndpoint } from './endpoint.ts';
import { areRelatedHosts } from '../tls/extensions.ts';
import type { RoundTools } from './instruments.ts';
import { type PathTarget, requestOf } from './path.ts';

interface ObservedPaths {
  readonly path: PathObservation;
  readonly controls: readonly PathObservation[];
}

/** A device that inspects the connection also signs a certificate for a different server name at the same address. */
export async function observeReferences(
  target: PathTarget,
  { path, controls }: ObservedPaths,
  tools: RoundTools,
): Promise<readonly ReferenceObservation[]> {
  const endpoint = path.endpoints.find(({ tls }) => tls !== null && tls.kind !== 'failed');
  const other = controls.map(({ host }) => host).find((host) => isIP(host) === 0 && host !== target.serverName);
  if (endpoint === undefined || other === undefined || tools.ctx.signal.aborted) return [];
  const surroundings = { controls: controlChainsOf(controls), now: tools.clock.now() };
  if (!needsReference(path, tools.knowledge.of(path.subject), surroundings)) return [];
  const request: EndpointRequest = { ...requestOf(target, endpoint.address), serverName: other, depth: 'tls' };
  const seen = await observeEndpoint(request, tools.ctx, tools.endpoint);
  return seen.tls === null ? [] : [{ kind: 'server-name', label: other, outcome: seen.tls }];
}

/**
 * If the block was examined recently, combines the earlier result with the control hosts' current results. Returns null
 * if nothing is blocked, or if the response itself identifies the blocking device.
 */
export async function observeClosely(
  target: PathTarget,
  seen: ObservedPaths,
  tools: RoundTools,
): Promise<CloserLook | null> {
  const first = seen.path.endpoints.find(({ tls }) => isBlocked(tls) && tls.plaintext === null);
  if (first === undefined || !isBlocked(first.tls) || tools.ctx.signal.aborted) return null;
  const { closerLooks } = tools.memory;
  const block = `${first.address} ${endingOf(first.tls)}`;
  const recent = closerLooks.recent(block);
  if (recent !== null) return { ...recent, controls: outcomesOf(seen.controls) };
  return closerLooks.keep(block, await examineBlock(target, first.address, seen.controls, tools));
}

/**
 * Opens three more connections: with the same ClientHello, with a different server name, and with a ClientHello that
 * every server rejects.
 */
async function examineBlock(
  target: PathTarget,
  address: string,
  controls: readonly PathObservation[],
  { ctx, endpoint }: RoundTools,
): Promise<CloserLook> {
  const { serverName } = target;
  const connect = (name: string | null, deps = endpoint): Promise<EndpointObservation> =>
    observeEndpoint({ ...requestOf(target, address), serverName: name, depth: 'tls' }, ctx, deps);
  const name = otherName(serverName, controls);
  const [again, other, refused] = await Promise.all([
    connect(serverName),
    serverName === null ? null : connect(name),
    connect(serverName, { ...endpoint, contextFor: createRefusableSecureContext }),
  ]);
  return {
    address,
    again: again.tls,
    otherName: other === null || other.tls === null ? null : { name, outcome: other.tls },
    refusable: refused.tls,
    controls: outcomesOf(controls),
  };
}

function outcomesOf(controls: readonly PathObservation[]): readonly TlsOutcome[] {
  return controls.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ tls }): readonly TlsOutcome[] => (tls === null ? [] : [tls])),
  );
}

/** A filter may block the vendor's whole domain, so the name must be in a different domain. */
function otherName(serverName: string | null, controls: readonly PathObservation[]): string | null {
  return (
    controls.map(({ host }) => host).find((host) => isIP(host) === 0 && !areRelatedHosts(host, serverName ?? '')) ??
    null
  );
}

/**
 * If a resolver returns an error or an unexpected address, queries it for the control hosts as well. If all answers
 * from this resolver are similar, the resolver is broken. If the answers differ, the resolver filters names. For the
 * system resolver, a trailing dot is added to the names, so that the hosts file and the search list are not used.
 * Unresponsive resolvers are not queried again.
 */
export async function observeOtherNames(
  target: PathTarget,
  { path, controls }: ObservedPaths,
  { askName, ctx }: RoundTools,
): Promise<readonly DnsObservation[]> {
  if (ctx.signal.aborted) return [];
  const hosts = controls.map(({ host }) => host).filter((host) => isIP(host) === 0);
  const doubtful = target.resolvers.filter(({ label }) => {
    const seen = path.names.find(({ resolver }) => resolver === label);
    return seen !== undefined && isDoubtfulAnswer(seen, target.expectedAddresses);
  });
  const asked = doubtful.flatMap((resolver) => [
    ...hosts.map((host) => askName(host, resolver, ctx)),
    ...(resolver.kind === 'system' ? [askName(`${target.host}.`, resolver, ctx)] : []),
  ]);
  return Promise.all(asked);
}

// --- The same address with TLS 1.2

/**
 * Connects to the first address that supports TLS 1.3, because some devices inspect or block only TLS 1.2. A new
 * difference is checked at once, because a single connection can fail by chance.
 * @param isComplained whether FortiAuthenticator's log reports failed connections
 */
export async function observeOlderTls(
  target: PathTarget,
  { path, controls }: ObservedPaths,
  tools: RoundTools,
  isComplained: boolean,
): Promise<readonly ReferenceObservation[]> {
  const newer = path.endpoints.find(({ tls }) => tls?.kind !== 'failed' && tls?.protocol === 'TLSv1.3');
  const { olderTls } = tools.memory;
  if (newer === undefined || tools.ctx.signal.aborted || !olderTls.isDue(isComplained)) return [];
  const knowledge = tools.knowledge.of(path.subject);
  const surroundings = { controls: controlChainsOf(controls), now: tools.clock.now() };
  const differ = (references: readonly ReferenceObservation[]): boolean => {
    const seen = { ...path, references };
    const tls = judgeTlsPath(seen, knowledge, surroundings);
    return isVersionDecisive({ path: seen, tls, knowledge, surroundings });
  };
  const first = await connectOlder(target, newer.address, tools);
  const seen = differ(first) && !olderTls.differs ? await connectOlder(target, newer.address, tools) : first;
  olderTls.differs = differ(seen);
  return seen;
}

/** Returns nothing if the result is inconclusive, for example if the server rejects TLS 1.2. */
async function connectOlder(
  target: PathTarget,
  address: string,
  { endpoint, limiter, ctx }: RoundTools,
): Promise<readonly ReferenceObservation[]> {
  const request: EndpointRequest = { ...requestOf(target, address), depth: 'tls' };
  const older: EndpointDeps = { ...endpoint, contextFor: (to) => endpoint.contextFor(to, 'TLSv1.2') };
  const { tls: outcome } = await limiter
    .run(() => observeEndpoint(request, ctx, older), ctx.signal)
    .catch((): Pick<EndpointObservation, 'tls'> => ({ tls: null }));
  const isConclusive = outcome !== null && (outcome.chain !== null || isCut(outcome));
  return isConclusive ? [{ kind: 'tls-1.2', label: address, outcome }] : [];
}

/** An alert counts as a response, because a server sends an alert if it does not support TLS 1.2. */
function isCut(outcome: TlsOutcome): outcome is BlockedOutcome {
  return (
    isBlocked(outcome) &&
    outcome.alert === null &&
    (outcome.plaintext !== null || ['reset', 'closed', 'timeout'].includes(outcome.reason))
  );
}
