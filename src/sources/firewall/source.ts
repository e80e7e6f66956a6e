import type { Config } from '../../config/config.ts';
import type { FirewallObservation } from '../../core/license/firewall.ts';
import type { SlowSource } from '../source.ts';
import { observeFirewall } from './observe-firewall.ts';

type Settings = Pick<Config, 'firewall' | 'licenseServer'>;

/** The FortiGate on the way; null: it was not asked. */
export const firewall: SlowSource<'firewall', Settings, FirewallObservation | null> = {
  id: 'firewall',
  runs: 'appliance',
  isConfigured: (settings) => settings.firewall !== null,
  unseen: () => null,
  observe: async (settings, look) =>
    settings.firewall === null ? null : observeFirewall(settings.firewall, settings.licenseServer, look),
};
