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

/** What a round has seen first. */
export interface Seen {
  readonly path: PathObservation;
  readonly controls: readonly PathObservation[];
}

/** Asks the same address for the certificate of another name: an inspecting device signs that one as well. */
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

/** A genuine chain is not asked for again in each round. */
function needsReference(path: PathObservation, controls: readonly PathObservation[], look: Look): boolean {
  const judged = judgeTlsPath(path, look.knowledge.of(path.subject), {
    controls: controlChainsOf(controls),
    now: look.clock.now(),
  });
  return judged.endpoints.some(({ judgement }) => isDoubtful(judgement));
}

/** A chain with a flaw leads to a trusted key: another server name would tell nothing about it. */
function isDoubtful({ verdict, accepted }: TlsJudgement): boolean {
  return !NEEDS_NO_REFERENCE.includes(verdict) && (accepted?.flaws ?? []).length === 0;
}

/** A look that waits to be told how long this process stalled in its round. */
type OpenLook = (stalledMs: Millis) => CloserLook;

/**
 * Looks into the first address that blocks TLS, unless that was done a short while ago: what was found then still
 * stands, beside what the control hosts show now. Null: nothing is blocked, or the answer says itself who sent it.
 */
export async function observeClosely(target: PathTarget, seen: Seen, look: Look): Promise<OpenLook | null> {
  const first = seen.path.endpoints.find(({ tls }) => isBlocked(tls) && tls.plaintext === null);
  if (first === undefined || !isBlocked(first.tls) || look.ctx.signal.aborted) return null;
  const { closerLooks } = look.memory;
  const ending = endingOf(first.tls);
  const block = `${first.address} ${ending}`;
  const recent = closerLooks.recent(block);
  if (recent !== null) return () => ({ ...recent, controls: outcomesOf(seen.controls) });
  const found = await lookInto(target, { first, controls: seen.controls, isCut: ending === 'cut' }, look);
  return (stalledMs) => closerLooks.keep(block, { ...found, stalledMs });
}

interface Block {
  readonly first: EndpointObservation;
  readonly controls: readonly PathObservation[];
  readonly isCut: boolean;
}

/**
 * Asks three more times, at once, to tell what kind of block it is: with the same hello, with another server name, and
 * with a hello that can only be refused; then how far the address is, where it cut the connection.
 */
async function lookInto(
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
  // Silence has no time that could be compared.
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

/** A filter may well cover the whole domain of the vendor; where no other name is at hand, none is sent. */
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
 * Measures once more how far the control hosts are, one connection after the other, when every address of a target
 * refuses: only against that does the time of a refusal mean anything. Empty otherwise, and through a proxy.
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
 * Asks a resolver that answers for the target with an error or with a strange address for the names of the control
 * hosts too: whether it does the same to every name tells a resolver that is broken from a filter. The system's resolver
 * is asked for the target once more with a dot at its end, for which it takes neither the hosts file nor a search list.
 * Silence needs no comparison.
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
