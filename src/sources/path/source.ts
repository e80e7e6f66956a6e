import { isIP } from 'node:net';
import { resolvers } from '../../config/schema/secret.ts';
import { optional, address } from '../../config/schema/section.ts';
import type { Millis } from '../../core/clock.ts';
import { pathProbes, type PathFacts, type PathObservation } from '../../core/round.ts';
import type { RoundLook, RoundSource, GaugeDefinition, Reading, SourceMetrics } from '../source.ts';
import {
  observeKnownAddresses,
  observePath,
  requestOf,
  type PathTarget,
  type PathTools,
} from '../target/observe-path.ts';
import { licenseTarget, serviceTarget } from '../target/path-targets.ts';
import { hearOpenssl, type OpensslTools } from './openssl.ts';
import { licenseServer, services, type PathSettings, trust } from './sections.ts';
import { observeClosely, type CloserTools, observeNearest } from './observe-closely.ts';
import { observeReferences, type ReferenceTools } from './observe-references.ts';
import { observeOlderTls, type OlderTlsTools } from './older-tls.ts';
import { deadline } from '../../system/clock.ts';
import type { EndpointObservation, Failure, DnsObservation } from '../../core/observation.ts';
import type { ProbeContext } from '../../network/context.ts';
import { observeEndpoint, type EndpointLimits, type EndpointRequest } from '../target/observe-endpoint.ts';
import { startApart } from '../../schedule/start-apart.ts';
import { addressInAny, singleAddresses, translatedFrom } from '../../core/addresses.ts';

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

const NOT_AFTER: GaugeDefinition = {
  name: 'ftm_tls_certificate_not_after_timestamp_seconds',
  help: 'Expiry date of the certificate that a target presented last',
  labels: ['target'],
  stays: true,
};

const TTL: GaugeDefinition = {
  name: 'ftm_dns_answer_ttl_seconds',
  help: 'Time to live of the answer for the licence server',
  labels: ['resolver'],
};

const EXPECTED: GaugeDefinition = {
  name: 'ftm_dns_answers_expected',
  help: '1 if a resolver returned only expected addresses for the licence server',
  labels: ['resolver'],
};

const PATH_METRICS: SourceMetrics<PathFacts, PathSettings> = {
  gauges: [NOT_AFTER, TTL, EXPECTED],
  readings: ({ licenseServer, services }, settings) => [
    ...[licenseServer, ...services].map(endOfValidity),
    ...licenseServer.names.flatMap((seen) => answerReadings(seen, settings.licenseServer.expectedAddresses)),
  ],
};

function endOfValidity({ subject: target, endpoints }: PathObservation): Reading {
  const leaves = endpoints.flatMap(({ tls }) => tls?.chain?.certificates.slice(0, 1) ?? []);
  return { gauge: NOT_AFTER, labels: { target }, value: least(leaves.map(({ notAfter }) => notAfter / 1000)) };
}

function answerReadings({ resolver, a, aaaa }: DnsObservation, expected: readonly string[]): readonly Reading[] {
  const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
  const addresses = answers.flatMap((answer) => answer.addresses);
  const isExpected =
    expected.length === 0 ||
    addresses.every((address) =>
      [address, translatedFrom(address, [...addresses, ...singleAddresses(expected)]) ?? address].some((each) =>
        addressInAny(each, expected),
      ),
    );
  const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
  return [
    { gauge: TTL, labels: { resolver }, value: least(ttls) },
    { gauge: EXPECTED, labels: { resolver }, value: addresses.length === 0 ? null : Number(isExpected) },
  ];
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

interface PathSourceTools extends ReferenceTools, OpensslTools, OlderTlsTools, CloserTools {
  /** Addresses of the licence server that a burst of connections is due to, one for each connection. */
  readonly burst: readonly string[];
  /** How long each step of these may take, where there is not as much time as usual. */
  readonly burstLimit?: Millis;
}

interface Others {
  readonly controls: readonly PathObservation[];
}

/** The licence server and the services: every resolver, every acceptable address, one connection to each. */
export const path: RoundSource<'path', PathSettings, PathFacts, PathSourceTools, PathSettings, Others> = {
  id: 'path',
  runs: 'round',
  sections: {
    licenseServer: licenseServer.prefault({}).describe("Fortinet's FortiToken Mobile licence server."),
    trust: trust.prefault({}).describe("How the licence server's certificate is judged."),
    services: services.describe('Other hosts that FortiAuthenticator connects to, such as the push service.'),
    resolvers: resolvers
      .prefault(['system'])
      .describe('Resolvers to query, each separately. List those that FortiAuthenticator uses.'),
    sourceAddress: optional(address).describe('Local address that probes use, on machines with several addresses.'),
  },
  metrics: PATH_METRICS,
  targets: (settings) => [
    ...settings.resolvers.map(({ label }) => ({ probe: 'dns', target: label })),
    ...[settings.licenseServer, ...settings.services].flatMap(pathProbes),
  ],
  observe: async (settings, look) => {
    const [straight, burst, others] = await Promise.all([
      look.now(settings.licenseServer, () => observeLicenseServer(settings, look)),
      observeBurst(licenseTarget(settings), look.burst, look, look.ctx),
      look.each(settings.services, (service) => observePath(serviceTarget(service, settings), look, look.ctx)),
    ]);
    return { ...straight, burst, services: others };
  },
  lookAgain: async (settings, look, { own, others: { controls } }) => {
    const { ctx } = look;
    const target = licenseTarget(settings);
    const seen = { path: own.licenseServer, controls };
    const [references, older, closer, controlConnects, otherNames] = await Promise.all([
      observeReferences(target, seen, look, ctx),
      observeOlderTls(target, own.licenseServer, look, ctx),
      observeClosely(target, seen, look, ctx),
      observeNearest(seen, look, ctx),
      observeOtherNames(target, seen, look, ctx),
      hearOpenssl(target, seen, look, ctx),
    ]);
    const looked = {
      ...own.licenseServer,
      references: [...references, ...older],
      ...(closer === null ? {} : { closer: closer(look.stalledMs()) }),
    };
    return { ...own, licenseServer: looked, controlConnects, otherNames };
  },
  runsIn: (facts) => ({ paths: [facts.licenseServer, ...facts.services], samples: [] }),
};

async function observeLicenseServer(
  settings: PathSettings,
  look: RoundLook<PathSourceTools>,
): Promise<Pick<PathFacts, 'licenseServer' | 'knownAddresses'>> {
  const target = licenseTarget(settings);
  const seen = await observePath(target, look, look.ctx);
  const isDialled = seen.endpoints.length > 0;
  return { licenseServer: seen, knownAddresses: isDialled ? [] : await observeKnownAddresses(target, look, look.ctx) };
}

/**
 * Asks a resolver that answers for the target with an error or with a strange address for the names of the control
 * hosts too: whether it does the same to every name tells a resolver that is broken from a filter. The system's resolver
 * is asked for the target once more with a dot at its end, for which it takes neither the hosts file nor a search list.
 * Silence needs no comparison.
 */
async function observeOtherNames(
  target: PathTarget,
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  { askName, acceptable }: Pick<PathTools, 'askName' | 'acceptable'>,
  ctx: ProbeContext,
): Promise<readonly DnsObservation[]> {
  if (ctx.signal.aborted) return [];
  const hosts = controls.map(({ host }) => host).filter((host) => isIP(host) === 0);
  const doubtful = target.resolvers.filter(({ label }) => {
    const seen = path.names.find(({ resolver }) => resolver === label);
    if (seen === undefined || !isAnswered(seen)) return false;
    return !isExpected(seen, acceptable([seen], target.expectedAddresses), target.expectedAddresses);
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
