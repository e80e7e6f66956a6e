import type { ChannelDefinition } from '../channel-definition.ts';
import { createAlertmanagerChannel } from './alertmanager-channel.ts';
import { alertmanagerSection, type AlertmanagerConfig } from './section.ts';

/** It groups, silences and repeats by itself, so it is told what is true; an alert ends a little later there. */
export const alertmanager: ChannelDefinition<'alertmanager', 'alertmanager', AlertmanagerConfig | null> = {
  id: 'alertmanager',
  name: 'Alertmanager',
  kind: 'state',
  recipients: 'url',
  key: 'alertmanager',
  section: alertmanagerSection,
  isConfigured: (notify) => notify.alertmanager !== null,
  create: (notify, deps) =>
    notify.alertmanager === null ? [] : [createAlertmanagerChannel(notify.alertmanager, deps)],
};
