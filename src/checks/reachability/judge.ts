import { portOf } from '../../core/addresses.ts';
import type { Millis } from '../../core/clock.ts';
import {
  decidingAddresses,
  describeFailure,
  type EndpointObservation,
  type Failure,
  type FailureReason,
  isOwnTrouble,
  isWithoutRoute,
  type ProxyAnswer,
  type TcpFailure,
} from '../../core/observation.ts';
import type { RoundObservations } from '../../core/round.ts';
import { spanText } from '../../core/time-text.ts';
import {
  type Assessment,
  type Confidence,
  type Finding,
  type FindingLevel,
  known,
  note,
  shell,
  unknown,
  warning,
} from '../../engine/model.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type { ControlHosts, Declaration, TargetFacts } from '../check.ts';
import { placeOf, shortened, withClean } from '../endpoint-words.ts';
import { decidingPolicies, refineShutPort } from '../firewall-policy/judge.ts';
import { withReachElsewhere } from '../outside.ts';
import { withSampling } from '../intermittent/finding.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { judgeTargets } from '../targets.ts';
import { type ProxyKind, REACHABILITY_CAUSES, type ReachabilityCause, type ShutPortKind } from './causes.ts';

/**
 * The level is `broken` if all decisive addresses fail, and `warning` if only some fail. If this machine has a route
 * for only one address family, the other family is ignored.
 */
export function judgeTcp(
  observations: readonly EndpointObservation[],
  clean: readonly string[],
): readonly Finding<ReachabilityCause>[] {
  const failures = observations.flatMap((seen) => (seen.tcp.kind === 'failed' ? [{ seen, failure: seen.tcp }] : []));
  const deciding = decidingAddresses(observations);
  const couldBeOpen = deciding.some(({ tcp }) => tcp.kind === 'open' || isOwnTrouble(tcp.reason));
  const faults = failures.map(({ seen, failure }) => {
    const how = describeFailure(failure);
    if (isOwnTrouble(failure.reason)) return portFinding(seen, 'unknown', how);
    if (lacksRoute(seen.family, observations)) return routeFinding(seen, observations, how);
    const level = couldBeOpen || !deciding.includes(seen) ? 'warning' : 'broken';
    return withClean({ ...portFinding(seen, level, how), ...throughProxy(seen, failure) }, clean);
  });
  return [...faults, ...observations.flatMap(judgeProxyTime)];
}

/** FortiAuthenticator's timeout for a proxy is not documented, but most proxies answer within a few milliseconds. */
const SLOW_PROXY: Millis = 2000;

function judgeProxyTime(seen: EndpointObservation): readonly Finding<ReachabilityCause>[] {
  const { target, proxy, tcp } = seen;
  if (proxy === null || tcp.kind !== 'open' || tcp.durationMs < SLOW_PROXY) return [];
  const waited = spanText(tcp.durationMs);
  return [
    warning('proxy-slow', {
      rule: 'proxy-connects-in-time',
      subject: target,
      claim: `The proxy ${proxy} took ${waited} to connect.`,
      expected: `a connection through the proxy within ${spanText(SLOW_PROXY)}`,
      facts: { proxy, waited },
    }),
  ];
}

/** The proxy's response describes the problem. If the proxy sent no response, the proxy itself is at fault. */
function throughProxy(
  seen: EndpointObservation,
  { proxyAnswer }: TcpFailure,
): Partial<Pick<Finding, 'kind' | 'claim' | 'quote' | 'facts'>> {
  const { address, proxy } = seen;
  if (proxy === null) return {};
  if (proxyAnswer === undefined) return { kind: 'through-proxy' };
  const { status, schemes, page } = proxyAnswer;
  const offer = schemes.length === 0 ? '' : `, and offers these login methods: ${schemes.join(', ')}`;
  return {
    kind: refusalKind(proxyAnswer),
    claim: `The proxy ${proxy} answered CONNECT with status ${String(status)}${offer}.`,
    ...(page === null ? {} : { quote: page }),
    facts: known({ address, proxy, found: schemes.length === 0 ? null : schemes.join(', ') }),
  };
}

function refusalKind({ status, schemes, hasLogin }: ProxyAnswer): ProxyKind {
  if (status !== 407) return status >= 500 ? 'proxy-cannot-connect' : 'proxy-refuses';
  // The configured login is sent only with Basic authentication (RFC 7617).
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === 'basic')) return 'proxy-login-scheme';
  return hasLogin ? 'proxy-login-rejected' : 'proxy-login';
}

function portFinding(
  seen: EndpointObservation,
  level: Exclude<FindingLevel, 'note'>,
  how: string,
): Finding<ReachabilityCause> {
  return {
    rule: 'port-open',
    subject: seen.target,
    claim:
      `${level === 'unknown' ? `Port ${portOf(seen.target)} could not be tried` : `No connection to ${seen.target}`} ` +
      `${placeOf(seen)}: ${shortened(how)}.`,
    expected: `TCP port ${portOf(seen.target)} accepts a connection`,
    level,
    suggests: level === 'unknown' ? null : level === 'broken' ? 'egress-blocked' : 'egress-partly-blocked',
    facts: known({ address: seen.address, proxy: seen.proxy }),
  };
}

/** If neither family has a route, the level is `unknown`, because no connection could be tried. */
function routeFinding(
  seen: EndpointObservation,
  observations: readonly EndpointObservation[],
  how: string,
): Finding<ReachabilityCause> {
  const told = {
    rule: 'family-has-route',
    subject: seen.target,
    claim:
      seen.proxy === null
        ? `The ftm-watch machine has no route for IPv${String(seen.family)}, so ${seen.address} was not tried.`
        : `The ftm-watch machine cannot send to the proxy ${seen.proxy}, so ${seen.address} was not tried.`,
    expected: `A route for IPv${String(seen.family)}, or for the other address family`,
    quote: shortened(how),
    facts: { address: seen.address },
  };
  return isNotNeeded(seen.family, observations) ? note(told) : unknown(told);
}

function isNotNeeded(family: 4 | 6, observations: readonly EndpointObservation[]): boolean {
  const others = observations.filter((other) => other.family !== family);
  return family === 6 ? others.length > 0 : others.some((other) => !isWithoutRoute(other));
}

/**
 * Many machines have no IPv6, and some have no IPv4. A firewall that rejects connections with "no route" is not
 * counted.
 */
function lacksRoute(family: 4 | 6, observations: readonly EndpointObservation[]): boolean {
  return observations.filter((seen) => seen.family === family).every(isWithoutRoute);
}

type Shut = Exclude<ShutPortKind, 'denied-by-policy'>;

/** A refusal that arrives within this share of the server's own round trip did not come from the server. */
const NEARER = 0.25;

export function controlHostsOf({ controls }: Pick<RoundObservations, 'controls'>): ControlHosts {
  const tried = controls
    .map(({ endpoints }) =>
      endpoints.filter(({ proxy, tcp }) => proxy === null && !(tcp.kind === 'failed' && isOwnTrouble(tcp.reason))),
    )
    .filter((endpoints) => endpoints.length > 0);
  return {
    accepting: tried.filter((endpoints) => endpoints.some(({ tcp }) => tcp.kind === 'open')).length,
    refusing: tried.filter((endpoints) => endpoints.every(isRefused)).length,
    tried: tried.length,
  };
}

/** A refusal also proves that packets are delivered. */
export function isRefused({ tcp, proxy }: EndpointObservation): boolean {
  return proxy === null && tcp.kind === 'failed' && ANSWERS.includes(tcp.reason);
}

/**
 * A timeout or a refusal can be caused by a firewall or by the server, so the cause is only suspected. A refusal that
 * arrives much faster than the server has ever accepted a connection comes from a nearer device. Node reports neither
 * the kind of refusal (TCP reset or ICMP message) nor the sender, so only the time is evaluated.
 */
function explainShutPorts(
  findings: readonly Finding[],
  { path: { endpoints }, controlHosts: controls, surroundings: { roundTrips } }: TargetFacts,
): readonly Finding[] {
  const shut = new Map(
    endpoints.flatMap(({ address, proxy, tcp }) =>
      proxy === null && tcp.kind === 'failed'
        ? [[address, shutKind(tcp, controls, roundTrips?.get(address))] as const]
        : [],
    ),
  );
  const kinds = findings.flatMap(({ level, facts }) =>
    level === 'broken' ? (shut.get(facts?.address ?? '') ?? null) : [],
  );
  const overall = WEAKEST_FIRST.find((kind) => kinds.includes(kind)) ?? null;
  return findings.map((finding) => {
    const { level, suggests, facts } = finding;
    const own = shut.get(facts?.address ?? '');
    if (own === undefined || suggests === null) return finding;
    const kind = level === 'broken' ? overall : own;
    const more = comparison(own, controls, roundTrips?.get(facts?.address ?? ''));
    const told = more === null ? finding : withMoreSaid(finding, ', ', more);
    return { ...told, ...(kind === null ? {} : { kind }), confidence: confidenceOf(kind, controls) };
  });
}

/** Connection failures that routers do not cause. */
const ANSWERS: readonly FailureReason[] = ['refused', 'reset', 'closed'];
const REFUSALS: readonly FailureReason[] = [...ANSWERS, 'no-route'];

function shutKind(
  { reason, durationMs }: Failure,
  { accepting, refusing, tried }: ControlHosts,
  roundTrip: Millis | undefined,
): Shut | null {
  if (reason === 'timeout') return accepting === 0 && tried > 0 ? 'no-answer-from-any' : null;
  if (!REFUSALS.includes(reason)) return null;
  if (refusing > 0 && refusing === tried) return 'all-refused';
  return roundTrip !== undefined && durationMs < roundTrip * NEARER ? 'refused-nearer' : null;
}

/**
 * A nearby device is reported only if it refuses the connections to all addresses. Otherwise, the addresses may be
 * closed for different reasons.
 */
const WEAKEST_FIRST: readonly (Shut | null)[] = [null, 'no-answer-from-any', 'all-refused', 'refused-nearer'];

/** A single host can refuse connections for other reasons. */
const FEWEST_REFUSING = 2;

function confidenceOf(kind: Shut | null, { refusing }: ControlHosts): Confidence {
  return kind === 'refused-nearer' || (kind === 'all-refused' && refusing >= FEWEST_REFUSING)
    ? 'confirmed'
    : 'suspected';
}

function comparison(own: Shut | null, { refusing }: ControlHosts, roundTrip: Millis | undefined): string | null {
  if (own === 'refused-nearer' && roundTrip !== undefined)
    return `immediately, although the server has always taken at least ${roundTrip.toFixed(0)} ms to accept a connection`;
  return own === 'all-refused' ? `as at ${String(refusing)} unrelated host${refusing === 1 ? '' : 's'}` : null;
}

export const reachability: Declaration<'reachability', ReachabilityCause> = {
  id: 'reachability',
  title: 'Reachability',
  dependsOn: [
    { kind: 'needs', by: 'name-resolution', when: isUnproven },
    { kind: 'needs', by: 'internet', when: isUnproven },
  ],
  countsForReady: true,
  causes: REACHABILITY_CAUSES,
  unknownRemedy: shell(
    'Check what the ftm-watch machine needs for a connection: a route to the licence server, the address in ' +
      '"sourceAddress" if it is set, and a free local port.',
    'ip route get {serverip}',
    'ss -s',
  ),
  onPath: true,
  byOneConnection: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'connect',
  sources: ['round'],
  judge: (facts) => {
    const { path, surroundings } = facts.round.targets[0];
    const own = judgeTargets('reachability', facts, judgePort, summaryOf(path.endpoints));
    const seen = asOthersSeeIt(own, reachability, facts);
    const policies = decidingPolicies(facts);
    const refined = policies === null ? seen.findings : seen.findings.map(refineShutPort(policies));
    const { outside } = surroundings;
    return {
      ...seen,
      findings:
        outside === undefined
          ? refined
          : withReachElsewhere(refined, outside, { subject: path.subject, now: facts.at }),
    };
  },
};

export function judgePort(target: TargetFacts): readonly Finding[] | null {
  const { endpoints } = target.path;
  const isTried = endpoints.some(({ tcp }) => tcp.kind === 'open' || !isOwnTrouble(tcp.reason));
  const found = isTried ? explainShutPorts(judgeTcp(endpoints, target.clean), target) : null;
  return withSampling('reachability', found, target);
}

function summaryOf(endpoints: readonly EndpointObservation[]): string {
  const open = endpoints.flatMap(({ tcp }) => (tcp.kind === 'open' ? [tcp.durationMs] : []));
  const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy;
  const way = proxy === undefined || proxy === null ? '' : ` through the proxy ${proxy}`;
  return open.length === 0 ? 'No connection' : `The port is open${way} (${Math.max(...open).toFixed(0)} ms)`;
}

/**
 * In this stage, one address that accepts connections is sufficient proof, even if a second resolver returns other
 * addresses. In later stages, one address is not sufficient, because an inspecting device can respond in place of the
 * server.
 */
function isUnproven({ kind, findings }: Assessment): boolean {
  return kind === 'unjudged' || findings.some(({ level }) => level === 'broken' || level === 'unknown');
}
