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
import { placeOf, saidBriefly, withClean } from '../endpoint-words.ts';
import type { Millis } from '../../core/clock.ts';

/**
 * Judges whether the port of one target opens, given all of its addresses. Reachability is broken if all deciding
 * addresses fail; if only some fail, it is a warning. If this machine has no route for a family, that says nothing
 * about the target as long as the other family has one.
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

/** FortiAuthenticator's timeout for a proxy is not documented. Most proxies answer within a few ms. */
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

/** Adds the answer of the proxy, which describes the problem. Without an answer, the proxy itself is at fault. */
function throughProxy(seen: EndpointObservation, { proxyAnswer }: TcpFailure): Partial<Told> {
  const { address, proxy } = seen;
  if (proxy === null) return {};
  if (proxyAnswer === undefined) return { kind: 'through-proxy' };
  const { status, schemes, page } = proxyAnswer;
  const offer = schemes.length === 0 ? '' : `, and offers a login by ${schemes.join(', ')}`;
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
  // RFC 7617. The configured login is sent only with this scheme.
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
      `${saidBriefly(how)}.`,
    expected: `TCP port ${portOf(seen.target)} accepts a connection`,
    level,
    suggests: level === 'unknown' ? null : level === 'broken' ? 'egress-blocked' : 'egress-partly-blocked',
    facts: known({ address: seen.address, proxy: seen.proxy }),
  };
}

/**
 * Returns the finding for a family without a route. If there is no other family, the question remains open, because
 * nothing was tried that could have worked.
 */
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
    expected: `A route for IPv${String(seen.family)}, or another family to use`,
    quote: saidBriefly(how),
    facts: { address: seen.address },
  };
  return isSpared(seen.family, observations) ? note(told) : unknown(told);
}

/**
 * Reports whether the family is not needed. IPv4 decides if there is any. IPv6 decides only if IPv4 cannot be tried.
 */
function isSpared(family: 4 | 6, observations: readonly EndpointObservation[]): boolean {
  const others = observations.filter((other) => other.family !== family);
  return family === 6 ? others.length > 0 : others.some((other) => !isWithoutRoute(other));
}

/**
 * Reports whether this machine has no route for a family. Most machines have no IPv6, and some have no IPv4, so that
 * nothing could be tried. A firewall that rejects with "no route" is a different case.
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
    'Give this machine a route to the licence server, or set "sourceAddress" to an address that has one.',
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
 * Reports whether the path is not proven to work. One good address proves it, whatever a second resolver returns. In
 * later stages a good answer proves nothing, because an inspecting device answers instead of the server.
 */
function isUnproven({ kind, findings }: Assessment): boolean {
  return kind === 'unjudged' || findings.some(({ level }) => level === 'broken' || level === 'unknown');
}

function isJudgeable({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'open' || !isOwnTrouble(tcp.reason);
}
