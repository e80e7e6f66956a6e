import type { ChannelDefinition } from '../channel-definition.ts';
import { slackSection, type SlackConfig } from './section.ts';
import { createSlackChannel } from './slack-channel.ts';

/** A message for each notification. */
export const slack: ChannelDefinition<'slack', 'slack', readonly SlackConfig[]> = {
  id: 'slack',
  name: 'Slack',
  kind: 'messages',
  recipients: 'name',
  key: 'slack',
  section: slackSection,
  isConfigured: (notify) => notify.slack.length > 0,
  create: (notify, deps) => notify.slack.map((config) => createSlackChannel(config, deps)),
};
