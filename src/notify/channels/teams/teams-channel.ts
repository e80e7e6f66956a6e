import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel } from '../channel.ts';
import { createPostingChannel } from '../posting-channel.ts';
import { readSecretUrl, secretPartsOf } from '../secret-url.ts';
import { adaptiveCardMessage } from './adaptive-card.ts';
import type { TeamsConfig } from './section.ts';

export function createTeamsChannel(config: TeamsConfig, deps: ChannelDeps): MessageChannel {
  const { name, minSeverity, caFile } = config;
  return createPostingChannel(
    {
      id: 'teams',
      recipient: name,
      minSeverity,
      async posts({ notification }) {
        const url = await readSecretUrl(config.url, deps.readSecret);
        const body = adaptiveCardMessage(notification, deps);
        return [{ url, body, authorization: null, secrets: secretPartsOf(url), caFile }];
      },
    },
    deps,
  );
}
