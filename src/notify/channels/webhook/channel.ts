import type { ChannelDefinition } from '../channel-definition.ts';
import { webhooksSection, type WebhookConfig } from './section.ts';
import { createWebhookChannel } from './webhook-channel.ts';

/** Each web hook is a channel of its own: none waits for another. */
export const webhook: ChannelDefinition<'webhook', 'webhooks', readonly WebhookConfig[]> = {
  id: 'webhook',
  name: 'web hook',
  kind: 'messages',
  recipients: 'name',
  key: 'webhooks',
  section: webhooksSection,
  isConfigured: ({ webhooks }) => webhooks.length > 0,
  create: ({ webhooks }, deps) => webhooks.map((config) => createWebhookChannel(config, deps)),
};
