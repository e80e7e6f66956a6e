import type { Assessment } from '../../engine/assessment.ts';
import type { Confidence } from '../../engine/cause.ts';
import type { EndpointObservation } from '../../core/observation.ts';
import type { RoundObservations } from '../../sources/registry.ts';
import { describeFailure } from '../../core/describe-failure.ts';

/**
 * The internet is there when anything out there accepts a connection. Firewalls that let only the licence server
 * through are good firewalls: silent control hosts are then a note.
 */
export function judgeInternet(round: RoundObservations): Assessment {
  const licenseServer = [...round.path.licenseServer.endpoints, ...round.path.knownAddresses];
  const controls = round.controls.flatMap(({ endpoints }) => endpoints);
  if (controls.some(accepted)) return well('Control hosts accept connections');
  if (licenseServer.some(accepted)) return viaLicenseServer(round);
  const all = [...controls, ...licenseServer];
  const tried = all.filter(({ tcp }) => tcp.kind === 'failed' && tcp.reason !== 'aborted' && tcp.reason !== 'internal');
  const [untried] = all;
  if (tried.length === 0)
    return untried === undefined ? judgeWithoutAddresses(round) : unjudged(`Not tried: ${describe(untried)}`);
  if (tried.every(({ proxy }) => proxy !== null)) return beyondProxy(tried);
  // Without a control host it may be the licence server alone.
  return unreachable(tried.map(describe), controls.length === 0 ? 'suspected' : 'confirmed');
}

function accepted({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'open';
}

function well(summary: string): Assessment {
  return { id: 'internet', kind: 'judged', findings: [], summary };
}

function unjudged(summary: string): Assessment {
  return { id: 'internet', kind: 'unjudged', findings: [], summary };
}

function viaLicenseServer({ controls }: RoundObservations): Assessment {
  const silent = controls.filter(({ endpoints }) => endpoints.length > 0).map(({ subject }) => subject);
  const summary = 'The licence server accepts connections';
  if (silent.length === 0) return well(summary);
  return {
    ...well(summary),
    findings: [
      {
        rule: 'control-host-answers',
        subject: silent.join(', '),
        expected: 'a connection',
        actual: 'no control host accepts one; no fault, since a firewall may well let only the licence server through',
        level: 'note',
        suggests: null,
      },
    ],
  };
}

/**
 * Nothing but the proxy was tried: what lies beyond it is not known, and what is wrong with it breaks the reachability.
 */
function beyondProxy(tried: readonly EndpointObservation[]): Assessment {
  const proxies = [...new Set(tried.map(({ proxy }) => proxy))].join(', ');
  return unjudged(`Only the proxy ${proxies} leads out, and it opens no connection`);
}

function unreachable(tried: readonly string[], confidence: Confidence = 'confirmed'): Assessment {
  return {
    id: 'internet',
    kind: 'judged',
    findings: [
      {
        rule: 'anything-answers',
        subject: 'internet',
        expected: 'a connection to the licence server or to a control host',
        actual: tried.join('; '),
        level: 'broken',
        suggests: 'internet-unreachable',
        confidence,
      },
    ],
    summary: 'Nothing out there accepts a connection',
  };
}

/** No name resolved and no address is known: only a machine without any route to its resolvers proves something. */
function judgeWithoutAddresses({ path: { licenseServer }, controls }: RoundObservations): Assessment {
  const replies = [licenseServer, ...controls].flatMap(({ names }) =>
    names.flatMap(({ resolver, a, aaaa }) => [a, aaaa].map((reply) => ({ resolver, reply }))),
  );
  const noRoute = replies.filter(({ reply }) => reply.kind === 'failed' && reply.reason === 'no-route');
  if (replies.length > 0 && noRoute.length === replies.length) {
    return unreachable([...new Set(noRoute.map(({ resolver }) => `no route to the resolver ${resolver}`))]);
  }
  return unjudged('No address to connect to: no name resolves');
}

function describe({ target, address, tcp }: EndpointObservation): string {
  return `${target} at ${address}: ${tcp.kind === 'failed' ? describeFailure(tcp) : 'open'}`;
}
