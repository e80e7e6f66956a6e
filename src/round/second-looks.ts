import { isIP } from 'node:net';
import type { PathObservation, ReferenceObservation } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import { observeEndpoint, type EndpointRequest, measureConnects } from './endpoint.ts';
import { requestOf, type PathTarget, type PathTools } from './path.ts';
import type { Millis, Clock, EpochMs } from '../core/clock.ts';
import { type CloserLook, endingOf, isBlocked, type EndpointObservation, type TlsOutcome } from '../core/observation.ts';
import { createRefusableSecureContext } from '../network/tls/secure-context.ts';
import { portOf } from '../core/addresses.ts';

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

interface Seen {
  readonly path: PathObservation;
  readonly controls: readonly PathObservation[];
}

export interface CloserTools extends PathTools {
  readonly closerLooks: CloserLooks;
}

/** A look that waits to be told how long this process stalled in its round. */
type OpenLook = (stalledMs: Millis) => CloserLook;

/**
 * Looks into the first address that blocks TLS, unless that was done a short while ago: what was found then still
 * stands, beside what the control hosts show now. Null: nothing is blocked, or the answer says itself who sent it.
 */
export async function observeClosely(
  target: PathTarget,
  seen: Seen,
  tools: CloserTools,
  ctx: ProbeContext,
): Promise<OpenLook | null> {
  const first = seen.path.endpoints.find(({ tls }) => isBlocked(tls) && tls.plaintext === null);
  if (first === undefined || !isBlocked(first.tls) || ctx.signal.aborted) return null;
  const { closerLooks } = tools;
  const ending = endingOf(first.tls);
  const block = `${first.address} ${ending}`;
  const recent = closerLooks.recent(block);
  if (recent !== null) return () => ({ ...recent, controls: outcomesOf(seen.controls) });
  const look = await lookInto(target, { first, controls: seen.controls, isCut: ending === 'cut' }, tools, ctx);
  return (stalledMs) => closerLooks.keep(block, { ...look, stalledMs });
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
  tools: PathTools,
  ctx: ProbeContext,
): Promise<Omit<CloserLook, 'stalledMs'>> {
  const { host, port, proxy, serverName } = target;
  const look = (name: string | null, endpoint = tools.endpoint): Promise<EndpointObservation> =>
    observeEndpoint({ ...requestOf(target, first.address), serverName: name, depth: 'tls' }, ctx, endpoint);
  const name = otherName(serverName, controls);
  const [again, other, refused] = await Promise.all([
    look(serverName),
    serverName === null ? null : look(name),
    look(serverName, { ...tools.endpoint, secureContext: createRefusableSecureContext() }),
  ]);
  // Silence has no time that could be compared.
  const isMeasured = proxy === null && isCut;
  const measured = isMeasured ? await measureConnects({ host, port }, first.address, tools.endpoint, ctx) : [];
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
 * What was found out about blocks of TLS, kept for a while: a block is looked into when it is new and then now and
 * then, since many connections in each round would look like a scan.
 */
interface CloserLooks {
  /** Null: it is time to look. */
  recent(block: string): CloserLook | null;
  keep(block: string, look: CloserLook): CloserLook;
}

const KEPT: Millis = 300_000;

export function createCloserLooks({ now }: Pick<Clock, 'now'>): CloserLooks {
  const kept = new Map<string, { readonly at: EpochMs; readonly look: CloserLook }>();

  function isRecent({ at }: { readonly at: EpochMs }): boolean {
    // A clock that was set back must not keep an old look for as long.
    return at <= now() && now() - at < KEPT;
  }

  return {
    recent: (block) => {
      const found = kept.get(block);
      return found !== undefined && isRecent(found) ? found.look : null;
    },
    keep: (block, look) => {
      for (const [old, seen] of kept) if (!isRecent(seen)) kept.delete(old);
      kept.set(block, { at: now(), look });
      return look;
    },
  };
}

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
