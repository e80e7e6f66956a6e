import { type EndpointObservation, isOwnTrouble } from '../../core/observation.ts';
import { shell } from '../../engine/words/step.ts';
import type { Declaration } from '../declaration.ts';
import { REACHABILITY_CAUSES, type ReachabilityCause } from './causes.ts';
import { explainShutPorts } from './explain-shut-ports.ts';
import { judgeTcp } from './judge.ts';

export const reachability: Declaration<'reachability', ReachabilityCause> = {
  id: 'reachability',
  title: 'Reachability',
  dependsOn: ['name-resolution', 'internet'],
  explainedBy: [],
  causes: REACHABILITY_CAUSES,
  unknownRemedy: shell(
    'Give this machine a route to the licence server, or set "sourceAddress" to an address that has one.',
    'ip route get {serverip}',
  ),
  onPath: true,
  byOneConnection: true,
  // One good address proves the way, whatever a second resolver says; further up a good answer proves nothing, since an
  // inspecting device answers instead of the server.
  provesItself: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'connect',
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

function isJudgeable({ tcp }: EndpointObservation): boolean {
  return tcp.kind === 'open' || !isOwnTrouble(tcp.reason);
}
