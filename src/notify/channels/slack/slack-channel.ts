import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel } from '../channel.ts';
import { createPostingChannel } from '../posting-channel.ts';
import { readSecretUrl, secretPartsOf } from '../secret-url.ts';
import type { SlackConfig } from './section.ts';
import { slackMessage } from './slack-message.ts';

export function createSlackChannel(config: SlackConfig, deps: ChannelDeps): MessageChannel {
  const { name, minSeverity, caFile } = config;
  return createPostingChannel(
    {
      id: 'slack',
      recipient: name,
      minSeverity,
      async posts({ notification }) {
        const url = await readSecretUrl(config.url, deps.readSecret);
        const body = slackMessage(notification, deps);
        return [{ url, body, authorization: null, secrets: secretPartsOf(url), caFile }];
      },
    },
    deps,
  );
}
