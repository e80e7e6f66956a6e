import type { SecretUrl } from '../../src/config/schema/secret.ts';
import type { WebhookConfig } from '../../src/notify/channels/webhook.ts';

/** The configuration of a web hook without a name that is told everything. */
export function hookAt(url: SecretUrl, more: Partial<WebhookConfig> = {}): WebhookConfig {
  return {
    name: null,
    minSeverity: 'warning',
    url,
    template: null,
    token: null,
    signingSecret: null,
    caFile: null,
    ...more,
  };
}
