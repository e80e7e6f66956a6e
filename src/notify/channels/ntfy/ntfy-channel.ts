import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { authorizationOf, TOKEN_IN_CLEAR } from '../authorization.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel } from '../channel.ts';
import { createPostingChannel } from '../posting-channel.ts';
import { readSecretUrl, secretPartsOf } from '../secret-url.ts';
import { ntfyMessage } from './ntfy-message.ts';
import { NO_TOPIC, type NtfyConfig, topicOf } from './section.ts';

export function createNtfyChannel(config: NtfyConfig, deps: ChannelDeps): MessageChannel {
  const { name, minSeverity, caFile, token } = config;
  return createPostingChannel(
    {
      id: 'ntfy',
      recipient: name,
      minSeverity,
      async posts({ notification }) {
        const url = await readSecretUrl(config.url, deps.readSecret);
        if (token !== null && isReadableOnTheWay(url)) throw new Error(TOKEN_IN_CLEAR);
        const { header, secrets } = await authorizationOf({ user: null, password: null, token }, deps.readSecret);
        const address = topicOf(url);
        if (address === null) throw new Error(NO_TOPIC);
        const { server, topic } = address;
        return [
          {
            url: server,
            body: { topic, ...ntfyMessage(notification, deps) },
            authorization: header,
            secrets: [...secrets, ...secretPartsOf(url), topic],
            caFile,
          },
        ];
      },
    },
    deps,
  );
}
