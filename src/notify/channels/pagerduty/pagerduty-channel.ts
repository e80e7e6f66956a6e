import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel } from '../channel.ts';
import { createPostingChannel } from '../posting-channel.ts';
import { pagerdutyEvents } from './pagerduty-event.ts';
import type { PagerdutyConfig } from './section.ts';

export function createPagerdutyChannel(config: PagerdutyConfig, deps: ChannelDeps): MessageChannel {
  const { name, minSeverity, url, caFile } = config;
  return createPostingChannel(
    {
      id: 'pagerduty',
      recipient: name,
      minSeverity,
      async posts({ notification }) {
        const routingKey = await deps.readSecret(config.routingKey);
        return pagerdutyEvents(notification, deps).map((event) => ({
          url,
          body: { routing_key: routingKey, ...event },
          authorization: null,
          secrets: [routingKey],
          caFile,
        }));
      },
    },
    deps,
  );
}
