import type { AlertmanagerConfig } from '../../src/notify/channels/alertmanager.ts';

/** Returns the configuration of a cluster, with the given credentials or none. */
export function alertmanagerAt(urls: readonly string[], more: Partial<AlertmanagerConfig> = {}): AlertmanagerConfig {
  return { urls, user: null, password: null, token: null, caFile: null, ...more };
}
