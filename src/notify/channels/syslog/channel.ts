import type { ChannelDefinition } from '../channel-definition.ts';
import { syslogSection, type SyslogConfig } from './section.ts';
import { createSyslogChannel } from './syslog-channel.ts';

/** A line for each incident of a notification; each receiver is a channel of its own. */
export const syslog: ChannelDefinition<'syslog', 'syslog', readonly SyslogConfig[]> = {
  id: 'syslog',
  name: 'syslog',
  kind: 'messages',
  recipients: 'name',
  key: 'syslog',
  section: syslogSection,
  isConfigured: (notify) => notify.syslog.length > 0,
  create: (notify, deps) => notify.syslog.map((config) => createSyslogChannel(config, deps)),
};
