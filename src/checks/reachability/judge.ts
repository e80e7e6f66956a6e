import {
  type EndpointObservation,
  isOwnTrouble,
  decidingAddresses,
  isWithoutRoute,
  describeFailure,
  type ProxyAnswer,
  type TcpFailure,
} from '../../core/observation.ts';
import { shell, type Assessment, type Finding, type FindingLevel, known, note, unknown } from '../../engine/model.ts';
import type { Declaration } from '../check.ts';
import { REACHABILITY_CAUSES, type ReachabilityCause, type ProxyKind } from './causes.ts';
import { explainShutPorts } from './explain-shut-ports.ts';
import { refineShutPort } from '../firewall-policy/judge.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { portOf } from '../../core/addresses.ts';
import { spanText } from '../../core/time-text.ts';
import { placeOf, shortened, withClean } from '../endpoint-words.ts';
import type { Millis } from '../../core/clock.ts';

/**
 * The level is `broken` if all decisive addresses fail, and `warning` if only some fail. If this machine has a route
 * for only one address family, the other family is ignored.
 */
export function judgeTcp(observations: readonly EndpointObservation[]): readonly Finding<ReachabilityCause>[] {
  const failures = observations.flatMap((seen) => (seen.tcp.kind === 'failed' ? [{ seen, failure: seen.tcp }] : []));
  const deciding = decidingAddresses(observations);
  const couldBeOpen = deciding.some(({ tcp }) => tcp.kind === 'open' || isOwnTrouble(tcp.reason));
  const clean = observations.filter(({ tcp }) => tcp.kind === 'open').map(({ address }) => address);
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
    {
      rule: 'proxy-connects-in-time',
      subject: target,
      claim: `The proxy ${proxy} took ${waited} to connect.`,
      expected: `a connection through the proxy within ${spanText(SLOW_PROXY)}`,
      level: 'warning',
      suggests: 'proxy-slow',
      facts: { proxy, waited },
    },
  ];
}

type Told = Pick<Finding, 'kind' | 'claim' | 'quote' | 'facts'>;

/** The proxy's response describes the problem. If there is none, the proxy itself is at fault. */
function throughProxy(seen: EndpointObservation, { proxyAnswer }: TcpFailure): Partial<Told> {
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
  if (status === 401) return 'proxy-is-server';
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
      `Port ${portOf(seen.target)} ${placeOf(seen)} ${level === 'unknown' ? 'could not be tried' : 'did not open'}: ` +
      `${shortened(how)}.`,
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
        ? `This machine has no route for IPv${String(seen.family)}, so ${seen.address} was not tried.`
        : `This machine cannot send to the proxy ${seen.proxy}, so ${seen.address} was not tried.`,
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

export const reachability: Declaration<'reachability', ReachabilityCause> = {
  id: 'reachability',
  title: 'Reachability',
  dependsOn: [
    { kind: 'needs', by: 'name-resolution', when: isUnproven },
    { kind: 'needs', by: 'internet', when: isUnproven },
  ],
  causes: REACHABILITY_CAUSES,
  unknownRemedy: shell(
    'Add a route to the licence server on this machine, or set "sourceAddress" to an address that has a route.',
    'ip route get {serverip}',
  ),
  onPath: true,
  byOneConnection: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'connect',
  adjust: (own, everything) => {
    const seen = asOthersSeeIt(own, reachability, everything);
    const { policies } = everything;
    return policies === null ? seen : { ...seen, findings: seen.findings.map(refineShutPort(policies)) };
  },
  from: 'target',
  judge: ({ path: { endpoints }, controlHosts }) =>
    endpoints.some(isJudgeable) ? explainShutPorts(judgeTcp(endpoints), endpoints, controlHosts) : null,
  summary: ({ path: { endpoints } }) => {
    const open = endpoints.flatMap(({ tcp }) => (tcp.kind === 'open' ? [tcp.durationMs] : []));
    const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy;
    const way = proxy === undefined || proxy === null ? '' : ` through the proxy ${proxy}`;
    return open.length === 0 ? 'No connection' : `The port opens${way} in ${Math.max(...open).toFixed(0)} ms`;
  },
};

/**
 * One address that accepts connections is sufficient proof here, even if a second resolver returns other addresses. In
 * later stages it is not, because an inspecting device can respond in place of the server.
 */
function isUnproven({ kind, findings }: Assessment): boolean {
  return kind === 'unjudged' || findings.some(({ level }) => level === 'broken' || level === 'unknown');
}

function isJudgeable({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'open' || !isOwnTrouble(tcp.reason);
}
