import { forgeryFinding, shareFinding, shareText } from './finding.ts';
import { shortened, withClean, withoutUnclean } from '../endpoint-words.ts';
import {
  decidingAddresses,
  isWithoutRoute,
  type EndpointObservation,
  isOwnTrouble,
  describeFailure,
} from '../../core/observation.ts';
import { type Finding, isFault, known } from '../../engine/model.ts';
import {
  failuresInARow,
  isForged,
  KNOWN_RUN,
  mainFault,
  type ConnectionFault,
  type ConnectionShare,
  type Connection,
} from './connection-share.ts';
import { sharesOf, type PathShare, type RoundConnections } from './path-share.ts';
import { capital, withMoreSaid } from '../../engine/words.ts';
import type { PathObservation, RoundObservations } from '../../core/round.ts';
import type { JudgedEndpoint } from '../tls-genuine/judge-path.ts';

/** Null if there was nothing to evaluate for the stage. */
type StageFindings = Readonly<Record<ConnectionFault['stage'], readonly Finding[] | null>>;

/**
 * An intermittent fault is reported even if this round's connection worked. A single failure among many successful
 * connections is not reported as a fault.
 */
export function judgeShare(stages: StageFindings, state: PathShare, path: PathObservation): StageFindings {
  const shares = sharesOf(state).filter(({ addresses }) =>
    path.endpoints.some(({ address }) => addresses.includes(address)),
  );
  const view = { shares, path, unclean: state.unclean };
  const compared = (finding: Finding): Finding => withoutUnclean(finding, state.unclean);
  const judged = shares.reduce<StageFindings>((findings, share) => judgeOne(findings, share, view), {
    reachability: stages.reachability?.map(compared) ?? null,
    'tls-genuine': stages['tls-genuine']?.map(compared) ?? null,
  });
  return withForgeries(judged, state.forgeries, view);
}

/** Skipped if another finding already reports the inspection. */
function withForgeries(stages: StageFindings, forgeries: PathShare['forgeries'], view: View): StageFindings {
  const forged = view.shares.filter(({ trail }) => isForged(trail.at(-1)?.fault ?? null));
  const isTold =
    forged.some(({ trail }) => failuresInARow(trail) >= KNOWN_RUN) ||
    view.shares.some((share) => share.pattern === 'intermittent' && isForged(mainFault(share)));
  const found = isTold ? null : forgeryFinding(forgeries);
  if (found === null) return stages;
  const others = forged.reduce<StageFindings>(
    (all, share) => (share.pattern === 'steady' ? softened(all, share, 'note', view) : all),
    stages,
  );
  const finding: Finding = { ...found, subject: view.path.subject, level: 'warning' };
  return { ...others, 'tls-genuine': [finding, ...(others['tls-genuine'] ?? [])] };
}

interface View {
  readonly shares: readonly ConnectionShare[];
  readonly path: PathObservation;
  readonly unclean: PathShare['unclean'];
}

function judgeOne(stages: StageFindings, share: ConnectionShare, view: View): StageFindings {
  switch (share.pattern) {
    case 'none':
    case 'steady':
      return stages;
    case 'single':
      return softened(stages, share, 'note', view);
    case 'doubtful':
      return softened(stages, share, 'unknown', view);
    case 'intermittent':
      return withIntermittent(stages, share, view);
  }
}

function withIntermittent(stages: StageFindings, share: ConnectionShare, view: View): StageFindings {
  const fault = mainFault(share);
  if (fault === null) return stages;
  const others = softened(stages, share, 'note', view);
  return { ...others, [fault.stage]: [intermittentFinding(share, fault, view), ...(others[fault.stage] ?? [])] };
}

function softened(stages: StageFindings, share: ConnectionShare, level: 'note' | 'unknown', view: View): StageFindings {
  // If a target has only one address, its findings do not always contain the address.
  const isOnly = view.path.endpoints.length === 1;
  const soften = (finding: Finding): Finding => {
    if (!isFault(finding) || (!isOnly && !share.addresses.includes(finding.facts?.address ?? ''))) return finding;
    return { ...withMoreSaid(finding, '; ', shareText(share)), level, suggests: null };
  };
  return {
    reachability: stages.reachability?.map(soften) ?? null,
    'tls-genuine': stages['tls-genuine']?.map(soften) ?? null,
  };
}

function intermittentFinding(share: ConnectionShare, fault: ConnectionFault, view: View): Finding {
  const level = levelOf(share, fault, view);
  const clean = view.path.endpoints
    .filter(({ address, tcp }) => tcp.kind === 'open' && !isFaulty(address, view))
    .map(({ address }) => address);
  const isPart = clean.length > 0 && fault.cause === 'egress-blocked' && level === 'warning';
  const suggests = isPart ? 'egress-partly-blocked' : fault.cause;
  const finding = shareFinding(share, fault);
  const proxy = view.path.endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy;
  const facts = { ...finding.facts, ...known({ proxy }) };
  return withClean({ ...finding, facts, subject: view.path.subject, level, suggests }, clean);
}

function isFaulty(address: string, { shares, unclean }: View): boolean {
  return (
    unclean.includes(address) ||
    shares.some(({ addresses, pattern }) => addresses.includes(address) && pattern === 'steady')
  );
}

/** The level is `broken` if no decisive address works, or if any decisive address is inspected. */
function levelOf(
  { addresses, grave }: ConnectionShare,
  { stage }: ConnectionFault,
  { shares, path }: View,
): 'broken' | 'warning' {
  const deciding = decidingAddresses(path.endpoints).map((endpoint) => endpoint.address);
  if (!grave || !deciding.some((address) => addresses.includes(address))) return 'warning';
  const isDown = (other: string): boolean =>
    shares.some(
      (share) =>
        share.addresses.includes(other) &&
        (share.pattern === 'steady' || (share.pattern === 'intermittent' && share.grave)),
    );
  return stage === 'tls-genuine' || deciding.every(isDown) ? 'broken' : 'warning';
}

/** Connections that prove nothing about the target are omitted. */
export function roundConnectionsOf(
  { startedAt, path: { licenseServer, burst } }: Pick<RoundObservations, 'startedAt' | 'path'>,
  judged: readonly JudgedEndpoint[],
  judgedBurst: readonly JudgedEndpoint[],
  judgedOthers: readonly JudgedEndpoint[] = [],
): RoundConnections {
  return {
    at: startedAt,
    dialled: licenseServer.endpoints.map(({ address }) => address),
    connections: connectionsOf(licenseServer.endpoints, judged),
    burst: burst.length === 0 ? null : connectionsOf(burst, judgedBurst),
    others: connectionsOf(
      judgedOthers.map(({ endpoint }) => endpoint),
      judgedOthers,
    ),
  };
}

function connectionsOf(
  endpoints: readonly EndpointObservation[],
  judged: readonly JudgedEndpoint[],
): readonly Connection[] {
  return endpoints.flatMap((endpoint) => {
    const connection = connectionOf(
      endpoint,
      judged.find((one) => one.endpoint === endpoint),
    );
    return connection === null ? [] : [connection];
  });
}

function connectionOf(endpoint: EndpointObservation, judged: JudgedEndpoint | undefined): Connection | null {
  const { address, tcp } = endpoint;
  if (tcp.kind === 'failed') {
    const saysNothing = isOwnTrouble(tcp.reason) || isWithoutRoute(endpoint);
    if (saysNothing) return null;
    const claim = `${capital(shortened(describeFailure(tcp)))}.`;
    const [stage, cause] = ['reachability', 'egress-blocked'] as const;
    return { address, fault: { stage, cause, confidence: 'suspected', product: null, claim } };
  }
  if (judged === undefined || judged.judgement.verdict === 'unknown') return null;
  return { address, fault: faultOf(judged) };
}

function faultOf({ judgement }: JudgedEndpoint): ConnectionFault | null {
  const finding = judgement.findings.find(({ level }) => level === 'broken');
  if (finding === undefined || finding.suggests === null) return null;
  const { suggests: cause, claim } = finding;
  return { stage: 'tls-genuine', cause, confidence: judgement.confidence, product: judgement.product, claim };
}
