import { isIP } from 'node:net';
import { dialledAddresses, privateAddresses } from '../checks/name-resolution/judge.ts';
import { judgeTlsPath } from '../checks/tls-genuine/judge-path.ts';
import type { ServiceConfig, WatchedConfig } from '../config/schema/watched.ts';
import type { ProxyConfig, ResolverConfig } from '../config/schema/secret.ts';
import {
  authority,
  type FamilyChoice,
  type HostPort,
  ofFamily,
  singleAddresses,
  translatedFrom,
} from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import type { DnsObservation, EndpointObservation, Failure } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import { startApart } from '../system/start-apart.ts';
import { deadline } from '../system/clock.ts';
import { askInTurn } from './dns.ts';
import { type EndpointLimits, type EndpointRequest, observeEndpoint } from './endpoint.ts';
import type { RoundTools } from './instruments.ts';

export interface PathTarget extends HostPort {
  readonly serverName: string | null;
  readonly depth: EndpointRequest['depth'];
  readonly path: string;
  readonly method: EndpointRequest['method'];
  readonly proxy: ProxyConfig | null;
  readonly expectedAddresses: readonly string[];
  readonly family: FamilyChoice;
  readonly resolvers: readonly ResolverConfig[];
}

type Way = Pick<WatchedConfig, 'licenseServer' | 'resolvers'>;

/** The HTTP request is the same as FortiAuthenticator's. */
export function licenseTarget({ licenseServer, resolvers }: Way): PathTarget {
  return { ...licenseServer, depth: 'http', method: 'GET', resolvers };
}

export function serviceTarget(service: ServiceConfig, way: Way): PathTarget {
  return { ...straightTarget(service, way), ...service, proxy: way.licenseServer.proxy, expectedAddresses: [] };
}

/** Wrong DNS answers are evaluated only for the licence server's name. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/** Control hosts are reached through the same proxy and resolvers as the licence server, to test the same path. */
export function controlTarget(target: HostPort, way: Way): PathTarget {
  return { ...straightTarget(target, way), serverName: target.host, method: 'HEAD', proxy: way.licenseServer.proxy };
}

/** Returns a target that is reached without the proxy, for example a host on the same network. */
export function straightTarget({ host, port }: HostPort, { resolvers }: Pick<Way, 'resolvers'>): PathTarget {
  return {
    host,
    port,
    serverName: isIP(host) === 0 ? host : null,
    depth: 'http',
    path: '/',
    method: 'GET',
    proxy: null,
    expectedAddresses: ANY_ADDRESS,
    family: 'auto',
    resolvers,
  };
}

/**
 * An address that DNS64 derived from an IPv4 address is checked only if this machine has no route to the IPv4 address,
 * because both addresses lead to the same server.
 * @param toDial returns the addresses to connect to, given those from the DNS answers
 */
export async function observePath(
  target: PathTarget,
  tools: RoundTools,
  toDial: (answers: readonly string[]) => readonly string[] = (answers) => answers,
): Promise<PathObservation> {
  const asked = isResolvedHere(target) ? target.resolvers : [];
  const names = await Promise.all(asked.map((resolver) => tools.askName(target.host, resolver, tools.ctx)));
  const addresses = toDial(dialable(target, names));
  const relays = observeRelays(target, names, tools);
  const dialled = (some: readonly string[]): Promise<readonly EndpointObservation[]> =>
    Promise.all(some.map((address) => observeAddress(target, address, tools)));
  const own = await dialled(addresses.filter((address) => translatedFrom(address, addresses) === null));
  const unreachable = own.filter(({ tcp }) => tcp.kind === 'failed' && tcp.reason === 'no-route');
  const translated = addresses.filter(
    (address) =>
      translatedFrom(
        address,
        unreachable.map((endpoint) => endpoint.address),
      ) !== null,
  );
  const endpoints = [...own, ...(await dialled(translated)), ...(await relays)];
  return { subject: authority(target), host: target.host, names, endpoints, references: [] };
}

/**
 * Connects to private addresses that are not expected, and returns those that present the genuine certificate, or have
 * presented it before. Other observations at such an address say nothing about the target.
 */
async function observeRelays(
  target: PathTarget,
  names: readonly DnsObservation[],
  tools: RoundTools,
): Promise<readonly EndpointObservation[]> {
  const addresses = ofFamily(privateAddresses(names, target.expectedAddresses), target.family);
  const seen = await Promise.all(addresses.map((address) => observeAddress(target, address, tools)));
  const subject = authority(target);
  const around = { controls: [], now: tools.clock.now() };
  return seen.filter((endpoint) => {
    const path = { subject, host: target.host, names, endpoints: [endpoint], references: [] };
    const { worst } = judgeTlsPath(path, tools.knowledge.of(subject), around);
    if (worst?.verdict === 'genuine' || worst?.verdict === 'rotated') tools.memory.relays.add(endpoint.address);
    return tools.memory.relays.has(endpoint.address);
  });
}

/** A single response is enough to show that the internet is reachable. */
export async function observeAnyAddress(target: PathTarget, tools: RoundTools): Promise<PathObservation> {
  const resolvers = isResolvedHere(target) ? target.resolvers : [];
  const isEnough = (seen: readonly DnsObservation[]): boolean => dialable(target, seen).length > 0;
  const names = await askInTurn(target.host, resolvers, { ...tools, isEnough }, tools.ctx);
  const endpoints: EndpointObservation[] = [];
  for (const address of dialable(target, names).slice(0, MOST_TRIES)) {
    const seen = await observeAddress(target, address, tools);
    endpoints.push(seen);
    if (seen.tcp.kind === 'open') break;
  }
  return { subject: authority(target), host: target.host, names, endpoints, references: [] };
}

const MOST_TRIES = 2;

/** Connects to the configured addresses if no resolver works, to determine whether only the resolvers have failed. */
export function observeKnownAddresses(target: PathTarget, tools: RoundTools): Promise<readonly EndpointObservation[]> {
  const known = ofFamily(singleAddresses(target.expectedAddresses), target.family).slice(0, MOST_TRIES);
  return Promise.all(
    known.map((address) => observeEndpoint({ ...requestOf(target, address), depth: 'tcp' }, tools.ctx, tools.endpoint)),
  );
}

function dialable(target: PathTarget, names: readonly DnsObservation[]): readonly string[] {
  if (!isResolvedHere(target)) return [target.host];
  return ofFamily(dialledAddresses(names, target.expectedAddresses), target.family);
}

/** A proxy receives the host name and resolves it. */
function isResolvedHere({ host, proxy }: PathTarget): boolean {
  return isIP(host) === 0 && proxy === null;
}

function observeAddress(target: PathTarget, address: string, tools: RoundTools): Promise<EndpointObservation> {
  return tools.limiter
    .run(() => observeEndpoint(requestOf(target, address), tools.ctx, tools.endpoint), tools.ctx.signal)
    .catch(() => calledOff(target, address));
}

function calledOff(target: PathTarget, address: string): EndpointObservation {
  return {
    target: authority(target),
    address,
    family: isIP(address) === 6 ? 6 : 4,
    proxy: target.proxy === null ? null : authority(target.proxy),
    tcp: {
      kind: 'failed',
      reason: 'aborted',
      message: 'The round ended before this connection was started',
      durationMs: 0,
    },
    tls: null,
    http: null,
  };
}

export function requestOf(target: PathTarget, address: string): EndpointRequest {
  return { ...target, target, address };
}

const BURST_GAP: Millis = 25;

/**
 * Time limits for connections in a burst. These limits are longer than those in a round, to distinguish packet loss
 * from blocking. Despite packet loss, a connection eventually succeeds (a SYN packet is retransmitted after 1, 2, 3, 4
 * and 6 s, or after 1, 3 and 7 s). If a firewall drops the packets or the server is down, a connection never succeeds.
 */
const BURST_LIMITS: EndpointLimits = { tcp: 7_500, tls: 7_500, http: 0 };
const WHOLE_BURST: Millis = 10_000;
/**
 * If no connection has succeeded after this time, the burst ends, so that the report of a complete outage is not
 * delayed.
 */
const OUTAGE_AFTER: Millis = 3_500;

/**
 * Closes each connection after the handshake. Never rejects. Connections that did not finish in time are `aborted`.
 * @param addresses one address for each connection
 * @param longest limit for each step of a connection, for use if 7.5 s is too long
 */
export async function observeBurst(
  target: PathTarget,
  addresses: readonly string[],
  tools: RoundTools,
  longest: Millis = BURST_LIMITS.tcp,
): Promise<readonly EndpointObservation[]> {
  if (addresses.length === 0) return [];
  const { ctx } = tools;
  using whole = deadline(ctx.clock, WHOLE_BURST, ctx.signal);
  const waits = new Map(addresses.map((address) => [address, new AbortController()]));
  const worked = new Set<string>();
  const cancel = ctx.clock.after(OUTAGE_AFTER, () => {
    for (const [address, hopeless] of waits) if (!worked.has(address)) hopeless.abort();
  });
  const apart = { clock: ctx.clock, signal: whole.signal, gap: BURST_GAP };
  const limit = Math.min(BURST_LIMITS.tcp, longest);
  const limits: EndpointLimits = { ...BURST_LIMITS, tcp: limit, tls: limit };
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

/** Each connection had at least as much time as in a round, so the result is a time-out. */
function unanswered(seen: EndpointObservation): EndpointObservation {
  const { tcp, tls } = seen;
  if (tcp.kind === 'failed') return { ...seen, tcp: asTimeout(tcp) };
  return tls?.kind === 'failed' ? { ...seen, tls: { ...tls, ...asTimeout(tls) } } : seen;
}

function asTimeout(failure: Failure): Failure {
  if (failure.reason !== 'aborted') return failure;
  return { ...failure, reason: 'timeout', message: `No result within ${String(Math.round(failure.durationMs))} ms` };
}
