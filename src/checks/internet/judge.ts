import type { Declaration, Judgement } from '../check.ts';
import { INTERNET_CAUSES, type InternetCause } from './causes.ts';
import { fromRound, judged, unjudged } from '../judgement.ts';
import { asOthersSeeIt } from '../peer-views.ts';
import { type Finding, note, broken } from '../../engine/model.ts';
import { isRefused } from '../reachability/judge.ts';
import { type EndpointObservation, isOwnTrouble, isWithoutRoute, describeFailure } from '../../core/observation.ts';
import { visibleText } from '../../core/visible-text.ts';
import type { PathObservation, RoundObservations } from '../../core/round.ts';

const IPV6_AUTHORITY = /^\w+:\/\/\[/u;

/** On an IPv4-only machine, failed connections to IPv6 addresses do not prove that the internet is unreachable. */
const ONLY_IPV6 = 'The ftm-watch machine has no route for IPv6, and no IPv4 address was tried';

/**
 * The internet is reachable if any host accepts or refuses a connection. If only the licence server accepts
 * connections, a firewall may be meant to block the control hosts, so only a note is added.
 * @param answered the hosts that have responded since ftm-watch was started, as `host:port`
 */
function judgeInternet(round: RoundObservations, answered: ReadonlySet<string>): Judgement {
  const licenseServer = [...round.path.licenseServer.endpoints, ...round.path.knownAddresses];
  const controls = round.controls.flatMap(({ endpoints }) => endpoints);
  if (controls.some(accepted)) return judged([], 'Unrelated hosts accept connections');
  if (licenseServer.some(accepted)) return viaLicenseServer(round);
  const all = [...controls, ...licenseServer];
  // If all connections and DNS queries are refused, a packet filter on this machine may be the cause.
  if (all.some(isRefused) && (round.controls.length === 0 || !all.every(isRefused) || isAnyNameAnswered(round)))
    return judged([], 'Connections are refused, so the internet is reachable');
  const tried = all.filter(({ tcp }) => tcp.kind === 'failed' && !isOwnTrouble(tcp.reason));
  const [untried] = all;
  if (tried.length === 0)
    return untried === undefined
      ? judgeWithoutAddresses(round)
      : unjudged(`No connection was attempted: ${describe(untried)}`);
  if (tried.every(({ proxy }) => proxy !== null)) return beyondProxy(tried);
  if (tried.every((seen) => seen.family === 6 && isWithoutRoute(seen))) return unjudged(ONLY_IPV6);
  return silent(round, tried, answered);
}

/** Returns the hosts that responded, as `host:port`. */
export function answeringHosts({ controls, path: { licenseServer } }: RoundObservations): readonly string[] {
  return [...controls, licenseServer]
    .filter(({ endpoints }) => endpoints.some((endpoint) => accepted(endpoint) || isRefused(endpoint)))
    .map(({ subject }) => subject);
}

/** Control hosts that have never responded are ignored, because a firewall may be meant to block them. */
function silent(
  { controls, path: { licenseServer } }: RoundObservations,
  tried: readonly EndpointObservation[],
  answered: ReadonlySet<string>,
): Judgement {
  const known = controls.filter(({ subject }) => answered.has(subject));
  const isUnrouted = tried.every(({ tcp }) => tcp.kind === 'failed' && tcp.reason === 'no-route');
  // If no control host was tried, only the licence server may be affected.
  const isAnyTried = controls.some(wasTried);
  const told = tried.map(describe);
  if (known.some(wasTried) || (isAnyTried && isUnrouted)) return unreachable(told);
  if (known.length === 0 && controls.length > 0 && answered.has(licenseServer.subject))
    return unjudged('Only the licence server has answered since ftm-watch was started, and it is not answering now');
  return unreachable(told, isAnyTried && known.length === 0 ? { kind: 'never-answered' } : {});
}

/** A cancelled connection does not count. */
function wasTried({ endpoints }: PathObservation): boolean {
  return endpoints.some(({ tcp }) => tcp.kind === 'open' || !isOwnTrouble(tcp.reason));
}

function isAnyNameAnswered({ path: { licenseServer }, controls }: RoundObservations): boolean {
  return [licenseServer, ...controls].some(({ names }) =>
    names.some(({ a, aaaa }) => a.kind === 'answer' || aaaa.kind === 'answer'),
  );
}

function accepted({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'open';
}

function viaLicenseServer({ controls }: RoundObservations): Judgement {
  const silent = controls.filter(({ endpoints }) => endpoints.length > 0).map(({ subject }) => subject);
  const told = {
    rule: 'control-host-answers',
    subject: silent.join(', '),
    claim: 'No unrelated host accepts a connection, which is normal if the firewall allows only the licence server.',
    expected: 'a connection',
  };
  return judged(silent.length === 0 ? [] : [note(told)], 'The licence server accepts connections');
}

/** If only the proxy was tried, the state of the internet is unknown. `reachability` reports a faulty proxy. */
function beyondProxy(tried: readonly EndpointObservation[]): Judgement {
  const proxies = [...new Set(tried.map(({ proxy }) => proxy))].join(', ');
  return unjudged(`Only the proxy ${proxies} was tried, and it does not open connections`);
}

/** @param doubt lowers the confidence to `suspected` */
function unreachable(tried: readonly string[], doubt?: Pick<Finding<InternetCause>, 'kind'>): Judgement {
  const [rule, expected] = ['anything-answers', 'a connection to the licence server or an unrelated host'];
  const first = visibleText(tried[0] ?? '', 120);
  const claim =
    tried.length === 1
      ? `The only connection attempt failed: ${first}.`
      : `All ${String(tried.length)} connection attempts failed (first failure: ${first}).`;
  const told = { rule, subject: 'internet', claim, expected, actual: tried.join('; ') };
  const confidence = doubt === undefined ? 'confirmed' : 'suspected';
  return judged(
    [broken('internet-unreachable', { ...told, confidence, ...doubt })],
    'No host on the internet accepts a connection',
  );
}

/** If no name could be resolved, the internet counts as unreachable only if there is no route to any resolver. */
function judgeWithoutAddresses({ path: { licenseServer }, controls }: RoundObservations): Judgement {
  const replies = [licenseServer, ...controls].flatMap(({ names }) =>
    names.flatMap(({ resolver, a, aaaa }) => [a, aaaa].map((reply) => ({ resolver, reply }))),
  );
  const noRoute = replies.filter(({ reply }) => reply.kind === 'failed' && reply.reason === 'no-route');
  if (replies.length > 0 && noRoute.length === replies.length) {
    if (noRoute.every(({ resolver }) => IPV6_AUTHORITY.test(resolver))) return unjudged(ONLY_IPV6);
    return unreachable([...new Set(noRoute.map(({ resolver }) => `no route to the resolver ${resolver}`))]);
  }
  return unjudged('There is no address to connect to, because no name resolves');
}

function describe({ target, address, tcp }: EndpointObservation): string {
  return `${target} at ${address}: ${tcp.kind === 'failed' ? describeFailure(tcp) : 'open'}`;
}

export const internet: Declaration<'internet', InternetCause> = {
  id: 'internet',
  title: 'Internet',
  dependsOn: [],
  countsForReady: true,
  causes: INTERNET_CAUSES,
  unknownRemedy:
    'Make sure that ftm-watch can reach at least one of "controlHosts", or list other hosts that it can reach.',
  onPath: true,
  isWayOut: true,
  place: { kind: 'stop', stop: 'internet' },
  step: 'connect',
  sources: ['round'],
  judge: (facts) => {
    const { observations, answered } = facts.round;
    return asOthersSeeIt(fromRound('internet', judgeInternet(observations, answered), facts), internet, facts);
  },
};
