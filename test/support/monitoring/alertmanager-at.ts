import type { Config } from '../../../src/config/config.ts';

type AlertmanagerConfig = NonNullable<Config['notify']['alertmanager']>;

/** Returns the configuration of a cluster, with the given credentials or none. */
export function alertmanagerAt(urls: readonly string[], more: Partial<AlertmanagerConfig> = {}): AlertmanagerConfig {
  return { urls, user: null, password: null, token: null, caFile: null, ...more };
}
