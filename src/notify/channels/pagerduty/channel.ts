import type { ChannelDefinition } from '../channel-definition.ts';
import { createPagerdutyChannel } from './pagerduty-channel.ts';
import { pagerdutySection, type PagerdutyConfig } from './section.ts';

/** An event for each incident of a notification. */
export const pagerduty: ChannelDefinition<'pagerduty', 'pagerduty', readonly PagerdutyConfig[]> = {
  id: 'pagerduty',
  name: 'PagerDuty',
  kind: 'messages',
  recipients: 'name',
  key: 'pagerduty',
  section: pagerdutySection,
  isConfigured: (notify) => notify.pagerduty.length > 0,
  create: (notify, deps) => notify.pagerduty.map((config) => createPagerdutyChannel(config, deps)),
};
