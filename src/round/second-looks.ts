import { isIP } from 'node:net';
import { dialledAddresses } from '../checks/name-resolution/judge.ts';
import type { TlsJudgement, Verdict } from '../checks/tls-genuine/chain-case.ts';
import { controlChainsOf, judgeTlsPath } from '../checks/tls-genuine/judge-path.ts';
import { addressInAny, portOf, singleAddresses, translatedFrom } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import {
  type CloserLook,
  type DnsObservation,
  endingOf,
  type EndpointObservation,
  isBlocked,
  type TlsOutcome,
} from '../core/observation.ts';
import type { PathObservation, ReferenceObservation } from '../core/round.ts';
import { createRefusableSecureContext } from '../network/tls/secure-context.ts';
import { type EndpointRequest, measureConnects, observeEndpoint } from './endpoint.ts';
import type { Look } from './instruments.ts';
import { type PathTarget, requestOf } from './path.ts';

export interface Seen {
  readonly path: PathObservation;
  readonly controls: readonly PathObservation[];
}

/** A device that inspects the connection also signs a certificate for a different server name at the same address. */
export async function observeReferences(
  target: PathTarget,
  { path, controls }: Seen,
  look: Look,
): Promise<readonly ReferenceObservation[]> {
  const endpoint = path.endpoints.find(({ tls }) => tls !== null && tls.kind !== 'failed');
  const other = controls.map(({ host }) => host).find((host) => isIP(host) === 0 && host !== target.serverName);
  if (endpoint === undefined || other === undefined || look.ctx.signal.aborted || !needsReference(path, controls, look))
    return [];
  const request: EndpointRequest = { ...requestOf(target, endpoint.address), serverName: other, depth: 'tls' };
  const seen = await observeEndpoint(request, look.ctx, look.endpoint);
  return seen.tls === null ? [] : [{ kind: 'server-name', label: other, isFresh: true, outcome: seen.tls }];
}

const NEEDS_NO_REFERENCE: readonly Verdict[] = ['genuine', 'rotated'];

/** For genuine chains, a reference connection is not made in every round. */
function needsReference(path: PathObservation, controls: readonly PathObservation[], look: Look): boolean {
  const judged = judgeTlsPath(path, look.knowledge.of(path.subject), {
    controls: controlChainsOf(controls),
    now: look.clock.now(),
  });
  return judged.endpoints.some(({ judgement }) => isDoubtful(judgement));
}

/** A chain that has flaws but leads to a trusted key does not come from an inspecting device. */
function isDoubtful({ verdict, accepted }: TlsJudgement): boolean {
  return !NEEDS_NO_REFERENCE.includes(verdict) && (accepted?.flaws ?? []).length === 0;
}

/** The details depend on how long this process stalled during the round. */
type OpenLook = (stalledMs: Millis) => CloserLook;

/**
 * If the block was examined recently, combines the earlier result with the control hosts' current results. Returns null
 * if nothing is blocked, or if the response itself identifies the blocking device.
 */
export async function observeClosely(target: PathTarget, seen: Seen, look: Look): Promise<OpenLook | null> {
  const first = seen.path.endpoints.find(({ tls }) => isBlocked(tls) && tls.plaintext === null);
  if (first === undefined || !isBlocked(first.tls) || look.ctx.signal.aborted) return null;
  const { closerLooks } = look.memory;
  const ending = endingOf(first.tls);
  const block = `${first.address} ${ending}`;
  const recent = closerLooks.recent(block);
  if (recent !== null) return () => ({ ...recent, controls: outcomesOf(seen.controls) });
  const found = await examineBlock(target, { first, controls: seen.controls, isCut: ending === 'cut' }, look);
  return (stalledMs) => closerLooks.keep(block, { ...found, stalledMs });
}

interface Block {
  readonly first: EndpointObservation;
  readonly controls: readonly PathObservation[];
  readonly isCut: boolean;
}

/**
 * Makes three more connections: with the same ClientHello, with another server name, and with a ClientHello that every
 * server rejects. If the connection was closed or reset, the time to connect is measured as well.
 */
async function examineBlock(
  target: PathTarget,
  { first, controls, isCut }: Block,
  { ctx, endpoint }: Look,
): Promise<Omit<CloserLook, 'stalledMs'>> {
  const { host, port, proxy, serverName } = target;
  const dial = (name: string | null, deps = endpoint): Promise<EndpointObservation> =>
    observeEndpoint({ ...requestOf(target, first.address), serverName: name, depth: 'tls' }, ctx, deps);
  const name = otherName(serverName, controls);
  const [again, other, refused] = await Promise.all([
    dial(serverName),
    serverName === null ? null : dial(name),
    dial(serverName, { ...endpoint, secureContext: createRefusableSecureContext() }),
  ]);
  // If the connection had no response, there is no response time to compare.
  const isMeasured = proxy === null && isCut;
  const measured = isMeasured ? await measureConnects({ host, port }, first.address, endpoint, ctx) : [];
  return {
    address: first.address,
    connects: isMeasured ? [...[first, again, other, refused].flatMap(connectTime), ...measured] : [],
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
    controls
      .map(({ host }) => host)
      .find((host) => isIP(host) === 0 && domainOf(host) !== domainOf(serverName ?? '')) ?? null
  );
}

function domainOf(host: string): string {
  return host.toLowerCase().split('.').slice(-2).join('.');
}

function connectTime(seen: EndpointObservation | null): readonly number[] {
  return seen?.tcp.kind === 'open' ? [seen.tcp.durationMs] : [];
}

/**
 * If every address refuses connections, the control hosts' connection times show whether a nearby device refuses them.
 * Returns an empty list in all other cases, and if a proxy is used.
 */
export async function observeNearest({ path, controls }: Seen, { endpoint, ctx }: Look): Promise<readonly Millis[]> {
  if (path.endpoints.length === 0 || !path.endpoints.every(isRefused)) return [];
  const connects: Millis[] = [];
  for (const { host, endpoints } of controls) {
    for (const { address, target } of endpoints.filter(isOpen)) {
      const port = Number(portOf(target));
      connects.push(...(await measureConnects({ host, port }, address, endpoint, ctx)));
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

/**
 * If a resolver returns an error or an unexpected address, queries it for the control hosts as well. If all answers are
 * similar, the resolver is broken. If they differ, the resolver filters names. For the system resolver, the names get a
 * trailing dot, so that the hosts file and the search list are not used. Unresponsive resolvers are not queried again.
 */
export async function observeOtherNames(
  target: PathTarget,
  { path, controls }: Seen,
  { askName, ctx }: Look,
): Promise<readonly DnsObservation[]> {
  if (ctx.signal.aborted) return [];
  const hosts = controls.map(({ host }) => host).filter((host) => isIP(host) === 0);
  const doubtful = target.resolvers.filter(({ label }) => {
    const seen = path.names.find(({ resolver }) => resolver === label);
    if (seen === undefined || !isAnswered(seen)) return false;
    return !isExpected(seen, dialledAddresses([seen], target.expectedAddresses), target.expectedAddresses);
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
