import type { AlertmanagerConfig } from '../../src/notify/channels/alertmanager.ts';

/** The configuration of a cluster that asks for no credentials, or for those that are given. */
export function alertmanagerAt(urls: readonly string[], more: Partial<AlertmanagerConfig> = {}): AlertmanagerConfig {
  return { urls, user: null, password: null, token: null, caFile: null, ...more };
}
