import type { ChannelDefinition } from '../channel-definition.ts';
import { createEmailChannel } from './email-channel.ts';
import { emailSection, type EmailConfig } from './section.ts';

/** A message for each notification, to all recipients at once; many at once come as a digest. */
export const email: ChannelDefinition<'email', 'email', EmailConfig | null> = {
  id: 'email',
  name: 'mail',
  kind: 'messages',
  recipients: 'mail-address',
  key: 'email',
  section: emailSection,
  isConfigured: (notify) => notify.email !== null,
  create: (notify, deps) => (notify.email === null ? [] : [createEmailChannel(notify.email, deps)]),
};
