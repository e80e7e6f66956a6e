import type { Config } from '../config/config.ts';
import type { LogIntakeConfig } from '../sources/log/intake.ts';

/** What of the configuration the log intake works with. */
export function intakeConfig(config: Config): LogIntakeConfig {
  const { logs, appliances, firewall, licenseServer } = config;
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
