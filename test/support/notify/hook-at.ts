import type { SecretUrl } from '../../../src/config/schema/secret.ts';
import type { Config } from '../../../src/config/config.ts';

type WebhookConfig = Config['notify']['webhooks'][number];

/** Returns the configuration of an unnamed web hook that receives all notifications. */
export function hookAt(url: SecretUrl, more: Partial<WebhookConfig> = {}): WebhookConfig {
  return {
    name: null,
    minSeverity: 'warning',
    url,
    template: null,
    escape: 'markdown',
    errorText: null,
    token: null,
    headers: null,
    signingSecret: null,
    caFile: null,
    ...more,
  };
}
