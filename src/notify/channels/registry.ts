import type { ChannelId, ChannelsConfig } from '../../config/schema/channels.ts';
import { createAlertmanager } from './alertmanager.ts';
import type { Channel, ChannelDeps, CreateChannels } from './channel.ts';
import { createEmail } from './email.ts';
import { createMattermost } from './mattermost.ts';
import { createNtfy } from './ntfy.ts';
import { createPagerduty } from './pagerduty.ts';
import { createSlack } from './slack.ts';
import { createSyslog } from './syslog.ts';
import { createTeams } from './teams.ts';
import { createWebhooks } from './webhook.ts';

const CREATE: Readonly<Record<ChannelId, CreateChannels>> = {
  email: createEmail,
  slack: createSlack,
  mattermost: createMattermost,
  teams: createTeams,
  pagerduty: createPagerduty,
  ntfy: createNtfy,
  webhook: createWebhooks,
  syslog: createSyslog,
  alertmanager: createAlertmanager,
};

export function configuredChannels(notify: ChannelsConfig, deps: ChannelDeps): readonly Channel[] {
  return Object.values(CREATE).flatMap((create) => create(notify, deps));
}
