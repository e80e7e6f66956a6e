import type { Config } from '../../config/config.ts';
import type { LogIntakeConfig } from './intake.ts';

/** What of the configuration the log intake works with. */
export function intakeConfig({
  logs,
  appliances,
  firewall,
  licenseServer,
}: Pick<Config, 'logs' | 'appliances' | 'firewall' | 'licenseServer'>): LogIntakeConfig {
  return {
    logs,
    appliances,
    firewallSources: firewall === null ? [] : [new URL(firewall.url).hostname.replace(/^\[|\]$/gu, '')],
    watched: {
      hosts: [...new Set([licenseServer.host, licenseServer.serverName ?? licenseServer.host])],
      addresses: licenseServer.expectedAddresses,
    },
  };
}
