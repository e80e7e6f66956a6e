import type { FirewallConfig } from '../firewall/section.ts';
import type { ApplianceConfig } from '../appliances/section.ts';
import type { PathSettings } from '../path/settings.ts';
import type { LogIntakeConfig } from './intake.ts';
import type { LogsConfig } from './section.ts';

export interface IntakeSettings extends Pick<PathSettings, 'licenseServer'> {
  readonly logs: LogsConfig;
  readonly appliances: readonly ApplianceConfig[];
  readonly firewall: readonly Pick<FirewallConfig, 'url'>[];
}

/** What of the configuration the log intake works with. */
export function intakeConfig({ logs, appliances, firewall, licenseServer }: IntakeSettings): LogIntakeConfig {
  return {
    logs,
    appliances,
    firewallSources: firewall.map(({ url }) => new URL(url).hostname.replace(/^\[|\]$/gu, '')),
    watched: {
      hosts: [...new Set([licenseServer.host, licenseServer.serverName ?? licenseServer.host])],
      addresses: licenseServer.expectedAddresses,
    },
  };
}
