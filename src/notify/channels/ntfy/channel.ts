import type { ChannelDefinition } from '../channel-definition.ts';
import { createNtfyChannel } from './ntfy-channel.ts';
import { ntfySection, type NtfyConfig } from './section.ts';

/** A message for each notification. */
export const ntfy: ChannelDefinition<'ntfy', 'ntfy', readonly NtfyConfig[]> = {
  id: 'ntfy',
  name: 'ntfy',
  kind: 'messages',
  recipients: 'name',
  key: 'ntfy',
  section: ntfySection,
  isConfigured: (notify) => notify.ntfy.length > 0,
  create: (notify, deps) => notify.ntfy.map((config) => createNtfyChannel(config, deps)),
};
