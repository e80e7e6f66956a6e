import { isWithoutRoute } from '../../core/deciding-addresses.ts';
import { type EndpointObservation, isOwnTrouble } from '../../core/observation.ts';
import type { Connection, ConnectionFault } from './connection-share.ts';
import type { RoundConnections } from './path-share.ts';
import type { RoundObservations } from '../../sources/registry.ts';
import { describeFailure } from '../../core/describe-failure.ts';
import type { JudgedEndpoint } from '../tls-genuine/judge-tls-path.ts';

/**
 * The connections of a round to the licence server, each as it worked or failed. What says nothing about the target is
 * left out.
 */
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
    return saysNothing ? null : { address, fault: notOpen(describeFailure(tcp)) };
  }
  if (judged === undefined || judged.judgement.verdict === 'unknown') return null;
  return { address, fault: faultOf(judged) };
}

/** Whether a firewall, a link or the server swallowed it, one connection alone cannot tell. */
function notOpen(actual: string): ConnectionFault {
  return { stage: 'reachability', cause: 'egress-blocked', confidence: 'suspected', product: null, actual };
}

function faultOf({ judgement }: JudgedEndpoint): ConnectionFault | null {
  const finding = judgement.findings.find(({ level }) => level === 'broken');
  if (finding === undefined || finding.suggests === null) return null;
  const { suggests: cause, claim } = finding;
  const actual = claim.replace(/^The certificate/u, 'the certificate').replace(/\.$/u, '');
  return { stage: 'tls-genuine', cause, confidence: judgement.confidence, product: judgement.product, actual };
}
