import { optional } from '../../config/schema/section.ts';
import type { FirewallObservation } from '../../core/license/firewall.ts';
import type { PathSettings } from '../path/settings.ts';
import type { SlowSource } from '../source.ts';
import { observeFirewall } from './observe-firewall.ts';
import { firewall as section, type FirewallConfig } from './section.ts';

interface Sections {
  readonly firewall: FirewallConfig | null;
}

type Settings = Sections & Pick<PathSettings, 'licenseServer'>;

/** The FortiGate on the way; null: it was not asked. */
export const firewall: SlowSource<'firewall', Sections, FirewallObservation | null, object, Settings> = {
  id: 'firewall',
  runs: 'appliance',
  sections: {
    firewall: optional(section).describe(
      "The FortiGate on the way, read only: tells which policy matches FortiAuthenticator's traffic.",
    ),
  },
  isConfigured: (settings) => settings.firewall !== null,
  unseen: () => null,
  observe: async (settings, look) =>
    settings.firewall === null ? null : observeFirewall(settings.firewall, settings.licenseServer, look),
};
