import { CHANNELS } from '../notify/channels/registry.ts';
import type { Config } from './config.ts';
import type { SecretSource } from '../system/secret.ts';

/** Where every secret of a configuration comes from, except for private keys, which are never read as text. */
export function secretSources(config: Config): readonly SecretSource[] {
  const { licenseServer, mail, appliances, registration, firewall, notify, web } = config;
  const sources: readonly (SecretSource | null | undefined)[] = [
    licenseServer.proxy?.password,
    ...mail.map(({ password }) => password),
    ...appliances.flatMap(({ api, snmp }) => [api?.key, snmp?.community]),
    registration?.password,
    firewall?.token,
    ...CHANNELS.flatMap((channel) => channel.secrets(notify)),
    ...web.users.map(({ passwordHash }) => passwordHash),
  ];
  return sources.filter((source) => source !== null && source !== undefined);
}
