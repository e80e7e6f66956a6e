import type { Millis } from '../../core/clock.ts';
import { type FirewallObservation, firewallName, firewallUnit, type SessionLook } from '../../core/license/firewall.ts';
import { startApart } from '../../schedule/start-apart.ts';
import type { PathSettings } from '../path/sections.ts';
import type { SlowSource, SlowUnit } from '../source.ts';
import { flowOf, observeFirewall } from './observe-firewall.ts';
import { firewall as section, type FirewallConfig } from './section.ts';

/** Each costs a TLS handshake of this machine. */
const GAP: Millis = 16;

interface Sections {
  readonly firewall: readonly FirewallConfig[];
}

interface Tools {
  /** What was said last. */
  readonly firewall: readonly FirewallObservation[];
}

type Settings = Sections & Pick<PathSettings, 'licenseServer'>;

/** The FortiGates on the way, each for its address of FortiAuthenticator. Empty: not asked yet. */
export const firewall: SlowSource<'firewall', Sections, readonly FirewallObservation[], Tools, Settings> = {
  id: 'firewall',
  runs: 'appliance',
  sections: {
    firewall: section.describe(
      "The FortiGates on the path, read only: the policy that matches FortiAuthenticator's traffic. One entry " +
        'for each address that the traffic comes from. A single entry needs no list.',
    ),
  },
  isConfigured: (settings) => settings.firewall.length > 0,
  unseen: () => [],
  observe: (settings, look) => startApart(unitsOf(settings), { ...look, gap: GAP }, (unit) => unit.ask(look)),
  units: unitsOf,
};

function unitsOf({ firewall: entries, licenseServer }: Settings): readonly SlowUnit<Tools, FirewallObservation>[] {
  return entries.map((entry) => {
    const flow = flowOf(entry, licenseServer);
    return {
      name: firewallUnit(flow),
      ask: (look) => observeFirewall(entry, licenseServer, look, lastSessions(entry, look.firewall)),
      unanswered: { ...flow, kind: 'failed', reason: 'aborted', durationMs: 0, message: 'It has not answered yet' },
    };
  });
}

function lastSessions(entry: FirewallConfig, seen: readonly FirewallObservation[]): SessionLook | null {
  const name = firewallName(entry);
  const last = seen.find(({ firewall: other, source }) => other === name && source === entry.source);
  return last?.kind === 'ok' ? last.sessions : null;
}
