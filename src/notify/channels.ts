import type { NotifyConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Channel } from './channel.ts';
import { createEmailChannel } from './email.ts';
import type { SecretReader } from './secret-reader.ts';
import { createWebhookChannel } from './webhook.ts';

export interface ChannelDeps {
  readonly clock: Clock;
  readonly readSecret: SecretReader;
}

/** The channels that the configuration names. Add one here. */
export function createChannels(
  config: { readonly site: string; readonly notify: NotifyConfig },
  deps: ChannelDeps,
): readonly Channel[] {
  const { site, notify } = config;
  return [
    ...(notify.email === null ? [] : [createEmailChannel(site, notify.email, deps)]),
    ...notify.webhooks.map((webhook) => createWebhookChannel(site, webhook, deps)),
  ];
}
