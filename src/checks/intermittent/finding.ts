import {
  decidingAddresses,
  describeFailure,
  type EndpointObservation,
  isOwnTrouble,
  isWithoutRoute,
} from '../../core/observation.ts';
import type { Millis } from '../../core/clock.ts';
import type { PathObservation } from '../../core/round.ts';
import { nameList } from '../../core/visible-text.ts';
import { type Advice, type Finding, isFault, known, shell, type Step } from '../../engine/model.ts';
import { capital, inSentence, withMoreSaid } from '../../engine/words.ts';
import type { TargetFacts } from '../check.ts';
import { shortened, withClean } from '../endpoint-words.ts';
import type { JudgedEndpoint } from '../tls-genuine/judge-path.ts';
import {
  type Connection,
  type ConnectionFault,
  isAlike,
  isConstant,
  isDoubtful,
  isFailed,
  measured,
  mostFrequent,
  recentFaults,
  repeatedOf,
  rotates,
  type Sampling,
  sidesOf,
  unaffected,
} from './sampling.ts';

/** A single connection can neither prove nor disprove a finding with this rule. */
export const INTERMITTENT_RULE = 'every-connection-works';
/** A single forged certificate is not reported. */
const FEWEST_FORGERIES = 2;
const MOST_NAMED = 5;

/**
 * Returns a stage's findings together with what the connections of earlier rounds show. An intermittent fault is
 * reported even if this round's connection worked. A failure that a burst does not confirm is not reported as a fault.
 * @param findings null if there was nothing to evaluate for the stage
 */
export function withSampling(
  stage: ConnectionFault['stage'],
  findings: readonly Finding[] | null,
  { sampling, path }: Pick<TargetFacts, 'sampling' | 'path'>,
): readonly Finding[] | null {
  const { found, level } = shownBy(sampling, path);
  const own = level === null ? findings : (findings?.map(softener(level, sampling)) ?? null);
  return found?.stage === stage ? [found.finding, ...(own ?? [])] : own;
}

/** A request that is not answered over a path with an intermittent fault proves nothing about the server. */
export function provesNothing({ sampling, path }: Pick<TargetFacts, 'sampling' | 'path'>): boolean {
  return (
    sampling.kind === 'intermittent' && !path.endpoints.some(({ http }) => http !== null && http.kind !== 'failed')
  );
}

interface StagedFinding {
  readonly stage: ConnectionFault['stage'];
  readonly finding: Finding;
}

interface Shown {
  readonly found: StagedFinding | null;
  /** Of the findings about the failed connections of this round. Null if it does not change. */
  readonly level: 'note' | 'unknown' | null;
}

function shownBy(sampling: Sampling, path: PathObservation): Shown {
  switch (sampling.kind) {
    case 'clear':
      return { found: forgeryFinding(sampling, path), level: 'note' };
    case 'open':
      return { found: null, level: isDoubtful(sampling) ? 'unknown' : null };
    case 'outage': {
      const found = rotates(sampling) ? addressFinding(sampling, path) : null;
      return { found, level: found === null ? null : 'note' };
    }
    case 'intermittent':
      return { found: intermittentFinding(sampling, path), level: isConstant(sampling) ? null : 'note' };
  }
}

function softener(level: 'note' | 'unknown', sampling: Sampling): (finding: Finding) => Finding {
  const failing = sampling.own.filter(isFailed).map(({ address }) => address);
  // If a target has only one address, its findings do not always contain the address.
  const isOnly = sampling.own.length === 1 && failing.length === 1;
  return (finding) => {
    const isOfThem = failing.includes(finding.facts?.address ?? '') || (isOnly && finding.level === 'broken');
    if (!isFault(finding) || !isOfThem) return finding;
    return { ...withMoreSaid(finding, '; ', shareText(measured(sampling))), level, suggests: null };
  };
}

function intermittentFinding(sampling: Sampling, path: PathObservation): StagedFinding | null {
  const connections = measured(sampling);
  const { main } = sampling;
  const fault = recentFaults(sampling).findLast((one) => main !== null && isAlike(one, main)) ?? null;
  if (fault === null) return null;
  const works = unaffected(sampling);
  const clean = path.endpoints.map(({ address }) => address).filter((address) => works.includes(address));
  const isPart = decidingAddresses(path.endpoints).some(({ address }) => clean.includes(address));
  const level = sampling.grave && (fault.stage === 'tls-genuine' || !isPart) ? 'broken' : 'warning';
  const isOfAddress = clean.length > 0 && fault.cause === 'egress-blocked' && level === 'warning';
  const suggests = isOfAddress ? 'egress-partly-blocked' : fault.cause;
  const loss = lossOf(sampling);
  const why = loss === null ? ONE_OF_SEVERAL : `Packets are probably lost on the path, because ${loss}`;
  const summary = `The fault is intermittent: ${courseOf(connections, fault)}. ${why}`;
  const remedy = [...(loss === null ? [] : [FIND_LOSS]), ...remedyOf(fault)];
  const finding = findingOf(connections, fault, path, { summary, remedy });
  return { stage: fault.stage, finding: withClean({ ...finding, level, suggests }, clean) };
}

/** Reports addresses that always fail, while FortiAuthenticator may be given another one that never does. */
function addressFinding(sampling: Sampling, path: PathObservation): StagedFinding | null {
  const sides = sidesOf(sampling);
  const connections = measured(sampling);
  const fault = mostFrequent(faultsIn(connections));
  if (sides === null || fault === null) return null;
  const [failing, working] = [nameList(sides.bad, MOST_NAMED), nameList(sides.good, MOST_NAMED)];
  const summary =
    `The fault depends on the address that the name resolves to. All connections to ${failing} fail, but those to ` +
    `${working} work: ${courseOf(connections, fault)}.`;
  const remedy = [
    `Compare how the firewall treats ${failing} and ${working}. The usual cause is a policy, an inspection profile, ` +
      'a route or an uplink that applies to only one of them.',
    'If there is no difference, check from another site to find out whether the server itself is at fault. If so, ' +
      'report the address and the times to the provider or to {operator}.',
  ];
  const isGrave = sides.bad.length >= sides.good.length / 2;
  return {
    stage: fault.stage,
    finding: {
      ...findingOf(connections, fault, path, { summary, remedy }),
      level: isGrave ? 'broken' : 'warning',
      suggests: fault.cause,
    },
  };
}

function forgeryFinding({ forged }: Sampling, path: PathObservation): StagedFinding | null {
  const last = forged.at(-1);
  const fault = mostFrequent(faultsIn(last?.connections ?? []));
  if (last === undefined || fault === null || forged.length < FEWEST_FORGERIES) return null;
  const were = FAILED[fault.cause] ?? 'failed';
  const count = String(forged.length);
  return {
    stage: fault.stage,
    finding: {
      ...findingOf(last.connections, fault, path, {
        summary:
          `${count} connections to {subject} within the last hour ${were}` +
          `${fault.product === null ? '' : ` by ${fault.product}`}, but others were not. One of several firewalls, ` +
          'links or proxies on the path inspects TLS.',
        remedy: remedyOf(fault),
      }),
      claim:
        `${count} connections within the last hour ${were}, but others were not, most recently at ` +
        `${last.connections[0]?.address ?? path.subject}: ${inSentence(fault.claim)}`,
      at: last.at,
      level: 'warning',
      suggests: fault.cause,
    },
  };
}

function faultsIn(connections: readonly Connection[]): readonly ConnectionFault[] {
  return connections.flatMap(({ fault }) => fault ?? []);
}

function findingOf(
  connections: readonly Connection[],
  fault: ConnectionFault,
  { subject, endpoints }: PathObservation,
  advice: Advice,
): Omit<Finding, 'level' | 'suggests'> {
  const failing = connections.findLast((one) => one.fault !== null && isAlike(one.fault, fault))?.address;
  const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy;
  const places = byAddress(connections).map(
    ({ address, failed, of }) => `${address} ${String(failed)} of ${String(of)}`,
  );
  const share = shareText(connections);
  return {
    rule: INTERMITTENT_RULE,
    subject,
    claim: `${share}${failing === undefined ? '' : `, most recently at ${failing}`}: ${inSentence(fault.claim)}`,
    expected: 'Every connection works',
    actual: `${nameList(places, MOST_NAMED)}: ${inSentence(fault.claim)}`,
    confidence: fault.confidence,
    facts: known({ address: failing, product: fault.product, proxy }),
    advice,
  };
}

/** Sorted by number of failures, highest first. */
function byAddress(
  connections: readonly Connection[],
): readonly { readonly address: string; readonly failed: number; readonly of: number }[] {
  return [...Map.groupBy(connections, ({ address }) => address)]
    .map(([address, own]) => ({ address, failed: own.filter(isFailed).length, of: own.length }))
    .toSorted((left, right) => right.failed - left.failed);
}

function shareText(connections: readonly Connection[]): string {
  return `${String(connections.filter(isFailed).length)} of the last ${String(connections.length)} connections failed`;
}

/**
 * A matching error in the log proves that FortiAuthenticator is affected, however few failures this machine observes.
 */
export function raised(finding: Finding): Finding {
  return isSmallShare(finding) ? { ...finding, level: 'broken' } : finding;
}

/** A small share is not critical on its own, although it can occasionally affect FortiAuthenticator. */
export function isSmallShare({ rule, level, clean }: Finding): boolean {
  return rule === INTERMITTENT_RULE && level === 'warning' && clean === undefined;
}

const FAILED: Readonly<Partial<Record<ConnectionFault['cause'], string>>> = {
  'egress-blocked': 'were not opened',
  'tls-blocked': 'were closed before a certificate was presented',
  'tls-intercepted': 'were intercepted',
  'tls-interception-suspected': 'were probably intercepted',
  'certificate-broken': 'received a certificate that is not valid',
};

function courseOf(connections: readonly Connection[], fault: ConnectionFault): string {
  const failed = connections.filter(isFailed).length;
  const alike = connections.filter((one) => one.fault !== null && isAlike(one.fault, fault)).length;
  if (alike === 0)
    return `of the last ${String(connections.length)} connections to {subject}, ${String(failed)} failed`;
  const others = failed === alike ? '' : ` and ${String(failed - alike)} failed in another way`;
  const how = (FAILED[fault.cause] ?? 'failed').replace(/^were (?=.)/u, alike === 1 ? 'was ' : 'were ');
  return `of the last ${String(connections.length)} connections to {subject}, ${String(alike)} ${how}${others}`;
}

/** By chance, a single packet is lost on any path. */
const FEWEST_REPEATED = 2;

/** A device that filters some of the connections breaks them all at the same step, and does not delay the others. */
function lossOf(sampling: Sampling): string | null {
  const causes = recentFaults(sampling).map(({ cause }) => cause);
  if (['egress-blocked', 'tls-blocked'].every((cause) => causes.some((one) => one === cause)))
    return `connections fail at different steps${OR_ELSE}`;
  const count = repeatedOf(sampling);
  return count < FEWEST_REPEATED
    ? null
    : `${String(count)} working connections were delayed by a second or more${OR_ELSE}`;
}

const OR_ELSE = '. Otherwise, one of several firewalls, links or servers on the path is at fault.';

const FIND_LOSS = shell(
  'Find the hop at which packets are lost. It is the first one from which the loss continues up to the last hop. ' +
    'Losses at a single hop in between are harmless, because many routers rarely respond themselves.',
  'mtr --tcp --port {port} --report --report-cycles 100 {serverip}',
);

const ONE_OF_SEVERAL = 'One of several firewalls, links or servers on the path is at fault.';

function remedyOf({ stage }: ConnectionFault): readonly Step[] {
  return [
    "List the devices and links that share this site's traffic, such as firewall cluster members, SD-WAN links, " +
      'uplinks or proxy nodes. If one of them is faulty, only the connections that use it fail.',
    shell(
      'To find the faulty device or link, take each one out of service in turn, and run the check each time. ' +
        'While the faulty device or link is out of service, no connection fails.',
      'ftm-watch check{config}',
    ),
    ...(stage === 'reachability' ? AT_THE_PORT : AT_TLS),
    'If connections fail through each device and link, the fault is not at this site. Check from another site ' +
      'to find out whether the server itself is at fault, and report the share and the times to the provider or to ' +
      '{operator}.',
  ];
}

const AT_THE_PORT: readonly Step[] = [
  shell(
    'To test without interrupting traffic, connect repeatedly from fixed source ports. To find the faulty device, ' +
      'search the session tables and logs of all devices for a source port from which connections always fail.',
    'nc -vz -w 5 -p 40001 {serverip} {port}',
    'nc -vz -w 5 -p 40002 {serverip} {port}',
    'nc -vz -w 5 -p 40003 {serverip} {port}',
  ),
  'Random packet loss on one link has the same effect, so compare the error counters of the links.',
];

const AT_TLS: readonly Step[] = [
  'On all of these devices, compare the policies for {source} to {host}, TCP {port}. A device whose policy ' +
    'differs or is out of date probably inspects or filters the traffic.',
];

/** Connections that prove nothing about the target are omitted. */
export function connectionsOf(
  endpoints: readonly EndpointObservation[],
  judged: readonly JudgedEndpoint[],
): readonly Connection[] {
  return endpoints.flatMap((endpoint) => {
    if (endpoint.tcp.kind === 'failed') return unopened(endpoint);
    return judged.filter((one) => one.endpoint === endpoint).flatMap(handshaken);
  });
}

function unopened(endpoint: EndpointObservation): readonly Connection[] {
  const { address, tcp } = endpoint;
  if (tcp.kind === 'open' || isOwnTrouble(tcp.reason) || isWithoutRoute(endpoint)) return [];
  const claim = `${capital(shortened(describeFailure(tcp)))}.`;
  const [stage, cause] = ['reachability', 'egress-blocked'] as const;
  return [{ address, fault: { stage, cause, confidence: 'suspected', product: null, claim } }];
}

/** TCP waits this long before it sends its first packet again (RFC 6298 §2.1). */
const FIRST_WAIT: Millis = 1_000;

function handshaken({ endpoint: { address, proxy, tcp }, judgement }: JudgedEndpoint): readonly Connection[] {
  const { verdict, findings, confidence, product } = judgement;
  if (verdict === 'unknown') return [];
  const finding = findings.find(({ level }) => level === 'broken');
  if (finding === undefined || finding.suggests === null) {
    const isRepeated = proxy === null && tcp.kind === 'open' && tcp.durationMs >= FIRST_WAIT;
    return [{ address, fault: null, ...(isRepeated ? { repeated: true } : {}) }];
  }
  const { suggests: cause, claim } = finding;
  return [{ address, fault: { stage: 'tls-genuine', cause, confidence, product, claim } }];
}
