import type { Millis } from '../../core/clock.ts';
import type { PeerObservation } from '../../core/peer-view.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { SlowSource, SlowUnit } from '../source.ts';
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
  observe: (settings, look) => startApart(unitsOf(settings), { ...look, gap: GAP }, (unit) => unit.ask(look)),
  units: unitsOf,
  metrics: PEER_METRICS,
};

function unitsOf({ peers: all }: Sections): readonly SlowUnit<object, PeerObservation>[] {
  return all.map((peer) => ({ name: peer.name, ask: (look) => observePeer(peer, look) }));
}
