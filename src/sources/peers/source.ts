import type { Millis } from '../../core/clock.ts';
import type { PeerObservation } from '../../core/peer-view.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { SlowSource } from '../source.ts';
import { PEER_METRICS } from './metrics.ts';
import { observePeer } from './observe-peer.ts';
import { type PeerConfig, peersSection } from './section.ts';

/** Each costs a TLS handshake of this machine. */
const GAP: Millis = 16;

interface Sections {
  readonly peers: readonly PeerConfig[];
}

/** Other agents, whose view of the path is evidence. Empty: not asked yet. */
export const peers: SlowSource<'peers', Sections, readonly PeerObservation[]> = {
  id: 'peers',
  runs: 'appliance',
  sections: {
    peers: peersSection.describe(
      "Other ftm-watch agents, each in FortiAuthenticator's own network segment, whose status is read on " +
        '`schedule.appliance`: what they see and this machine does not is a fault of that segment.',
    ),
  },
  isConfigured: (settings) => settings.peers.length > 0,
  unseen: () => [],
  observe: (settings, look) => startApart(settings.peers, { ...look, gap: GAP }, (peer) => observePeer(peer, look)),
  metrics: PEER_METRICS,
};
