import { isIP } from 'node:net';
import { type HostPort, authority, ofFamily, singleAddresses, translatedFrom, type FamilyChoice } from '../core/addresses.ts';
import type { ServiceConfig, PathSettings } from '../config/schema/path.ts';
import type { ProxyConfig, ResolverConfig } from '../config/schema/secret.ts';
import type { DnsObservation, EndpointObservation } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import type { ProbeContext } from '../network/context.ts';
import { observeEndpoint, type EndpointDeps, type EndpointRequest } from './endpoint.ts';
import type { Limiter } from '../network/lookup.ts';
import type { Millis } from '../core/clock.ts';
import { observeDns, type DnsPorts } from './dns.ts';

/** Which way the licence server is reached. */
type Way = Pick<PathSettings, 'licenseServer' | 'resolvers'>;

/** The licence server, asked as FortiAuthenticator does. */
export function licenseTarget({ licenseServer, resolvers }: Way): PathTarget {
  return { ...licenseServer, depth: 'http', method: 'GET', resolvers };
}

export function serviceTarget(service: ServiceConfig, way: Way): PathTarget {
  return { ...straightTarget(service, way), ...service, proxy: way.licenseServer.proxy, expectedAddresses: [] };
}

/** For what may have any address: the way out, or a host of your own. */
const ANY_ADDRESS = ['0.0.0.0/0', '::/0'];

/**
 * Control hosts are reached the way that the licence server is, so that they tell of the same path. They prove that the
 * way out is open, wherever their names lead; false answers are judged by the name that matters.
 */
export function controlTarget(target: HostPort, way: Way): PathTarget {
  return { ...straightTarget(target, way), serverName: target.host, method: 'HEAD', proxy: way.licenseServer.proxy };
}

/** A host that is reached without the proxy, such as one of the same network. */
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

/** What of the answers to one name may be dialled: the opinion of a check. */
type AcceptableAddresses = (
  names: readonly DnsObservation[],
  expectedAddresses: readonly string[],
) => readonly string[];

/** What the probes of a round share. */
export interface PathTools {
  readonly askName: AskName;
  readonly acceptable: AcceptableAddresses;
  readonly endpoint: EndpointDeps;
  /** Bounds the connections in flight: handshakes at the same instant falsify each other's timings. */
  readonly limiter: Limiter;
}

export interface PathTarget extends HostPort {
  readonly serverName: string | null;
  /** How far to go. */
  readonly depth: EndpointRequest['depth'];
  readonly path: string;
  readonly method: EndpointRequest['method'];
  readonly proxy: ProxyConfig | null;
  readonly expectedAddresses: readonly string[];
  /** Which addresses are dialled. */
  readonly family: FamilyChoice;
  readonly resolvers: readonly ResolverConfig[];
}

/**
 * Resolves the host once with every resolver, then looks at every acceptable address. What a DNS64 made of an IPv4
 * address is looked at where this machine has no route to that one: it would be the same server once more.
 */
export async function observePath(target: PathTarget, tools: PathTools, ctx: ProbeContext): Promise<PathObservation> {
  const names = await resolve(target, tools, ctx);
  const addresses = dialable(target, names, tools);
  const look = (some: readonly string[]): Promise<readonly EndpointObservation[]> =>
    Promise.all(some.map((address) => observeAddress(target, address, tools, ctx)));
  const own = await look(addresses.filter((address) => translatedFrom(address, addresses) === null));
  const unreachable = own.filter(({ tcp }) => tcp.kind === 'failed' && tcp.reason === 'no-route');
  const translated = addresses.filter(
    (address) =>
      translatedFrom(
        address,
        unreachable.map((endpoint) => endpoint.address),
      ) !== null,
  );
  const endpoints = [...own, ...(await look(translated))];
  return { subject: authority(target), host: target.host, names, endpoints, references: [] };
}

/** Looks at a host until one address has answered: enough to know that the outside world is there. */
export async function observeAnyAddress(
  target: PathTarget,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<PathObservation> {
  const resolvers = isLiteral(target) || target.proxy !== null ? [] : target.resolvers;
  const isEnough = (seen: readonly DnsObservation[]): boolean => dialable(target, seen, tools).length > 0;
  const names = await askInTurn(target.host, resolvers, { ...tools, isEnough }, ctx);
  const endpoints: EndpointObservation[] = [];
  for (const address of dialable(target, names, tools).slice(0, MOST_TRIES)) {
    const seen = await observeAddress(target, address, tools, ctx);
    endpoints.push(seen);
    if (seen.tcp.kind === 'open') break;
  }
  return { subject: authority(target), host: target.host, names, endpoints, references: [] };
}

const MOST_TRIES = 2;

/**
 * Dials the addresses that the configuration knows: without a resolver they still tell a dead uplink from a dead
 * resolver.
 */
export function observeKnownAddresses(
  target: PathTarget,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<readonly EndpointObservation[]> {
  const known = ofFamily(singleAddresses(target.expectedAddresses), target.family).slice(0, MOST_TRIES);
  return Promise.all(
    known.map((address) => observeEndpoint({ ...requestOf(target, address), depth: 'tcp' }, ctx, tools.endpoint)),
  );
}

async function resolve(target: PathTarget, tools: PathTools, ctx: ProbeContext): Promise<readonly DnsObservation[]> {
  if (isLiteral(target) || target.proxy !== null) return [];
  return Promise.all(target.resolvers.map((resolver) => tools.askName(target.host, resolver, ctx)));
}

/** Through a proxy the name itself is dialled: the proxy resolves it. */
function dialable(target: PathTarget, names: readonly DnsObservation[], { acceptable }: PathTools): readonly string[] {
  if (isLiteral(target) || target.proxy !== null) return [target.host];
  return ofFamily(acceptable(names, target.expectedAddresses), target.family);
}

function isLiteral({ host }: PathTarget): boolean {
  return isIP(host) !== 0;
}

function observeAddress(
  target: PathTarget,
  address: string,
  tools: PathTools,
  ctx: ProbeContext,
): Promise<EndpointObservation> {
  return tools.limiter
    .run(() => observeEndpoint(requestOf(target, address), ctx, tools.endpoint), ctx.signal)
    .catch(() => calledOff(target, address));
}

/** The round ended while this connection still waited for its turn: nothing is known. */
function calledOff(target: PathTarget, address: string): EndpointObservation {
  return {
    target: authority(target),
    address,
    family: isIP(address) === 6 ? 6 : 4,
    proxy: target.proxy === null ? null : authority(target.proxy),
    tcp: { kind: 'failed', reason: 'aborted', message: 'The round ended before its turn came', durationMs: 0 },
    tls: null,
    http: null,
  };
}

/** One connection to one address of the target. */
export function requestOf(target: PathTarget, address: string): EndpointRequest {
  return { ...target, target, address };
}

/** A resolver that has not answered by then is asked on, beside the next one. */
const PATIENCE: Millis = 500;

/**
 * Asks one resolver after the other for a name, until the answers are enough. Silent ones are waited for together: one
 * after the other, two of them would hold up the whole round.
 * @param isEnough whether no other resolver need be asked
 */
export async function askInTurn(
  name: string,
  resolvers: readonly ResolverConfig[],
  { askName, isEnough }: { readonly askName: AskName; readonly isEnough: (seen: readonly DnsObservation[]) => boolean },
  ctx: ProbeContext,
): Promise<readonly DnsObservation[]> {
  const asked: Promise<DnsObservation>[] = [];
  const answered: DnsObservation[] = [];
  for (const resolver of resolvers) {
    const answer = askName(name, resolver, ctx);
    asked.push(answer);
    const seen = await within(answer, ctx);
    if (seen === null) continue;
    answered.push(seen);
    if (isEnough(answered)) break;
  }
  return Promise.all(asked);
}

/** Null: not in time. */
function within(answer: Promise<DnsObservation>, { clock }: ProbeContext): Promise<DnsObservation | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(PATIENCE, () => resolve(null));
    answer.finally(cancel).then(resolve, reject);
  });
}

/** Asks one resolver for one name. Never rejects. */
type AskName = (name: string, resolver: ResolverConfig, ctx: ProbeContext) => Promise<DnsObservation>;

export function askEachTime(dns: DnsPorts): AskName {
  return (name, resolver, ctx) => observeDns(name, resolver, dns, ctx);
}

/**
 * For the length of one round: hosts that are looked at on several ports are asked for once, and all get the same
 * answer.
 */
export function askOnce(ask: AskName): AskName {
  const asked = new Map<string, Promise<DnsObservation>>();
  return (name, resolver, ctx) => {
    const key = `${resolver.label} ${name.toLowerCase()}`;
    const answer = asked.get(key) ?? ask(name, resolver, ctx);
    asked.set(key, answer);
    return answer;
  };
}
