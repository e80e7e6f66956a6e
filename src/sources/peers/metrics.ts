import type { PeerObservation } from '../../core/peer-view.ts';
import type { GaugeDefinition, SourceMetrics } from '../source-metrics.ts';

const READABLE: GaugeDefinition = {
  name: 'ftm_peer_readable',
  help: 'Whether the status of another agent of the site could be read (1) or not (0)',
  labels: ['peer'],
};

export const PEER_METRICS: SourceMetrics<readonly PeerObservation[], object> = {
  gauges: [READABLE],
  readings: (peers) =>
    peers.map(({ peer, kind }) => ({ gauge: READABLE, labels: { peer }, value: kind === 'seen' ? 1 : 0 })),
};
