import { CHANNELS } from '../../../src/notify/channels/registry.ts';
import type { Difference } from '../../support/contract/contract-differences.ts';

const OLD_CHANNELS = new Set(['email', 'webhook', 'alertmanager']);
const SERIES = [
  'ftm_notifications_total',
  'ftm_notifications_pending',
  'ftm_notification_last_success_timestamp_seconds',
] as const;

export const CHANNEL_DIFFERENCES: readonly Difference[] = [
  ...CHANNELS.filter(({ id }) => !OLD_CHANNELS.has(id)).map(({ id, key }) => ({
    reason: `The channel \`${id}\``,
    lines: [
      `+ schema: properties.notify.properties.${key}.*`,
      ...SERIES.map((series) => `+ metrics: ${series} channel="${id}"`),
    ],
  })),
  {
    reason: 'Every channel of messages has `minSeverity`',
    lines: [
      '+ schema: properties.notify.properties.email.properties.minSeverity.*',
      '+ schema: properties.notify.properties.webhooks.items.properties.minSeverity.*',
    ],
  },
  {
    reason: 'A web hook has a name, a template and a signature',
    lines: [
      '+ schema: properties.notify.properties.webhooks.items.properties.name.*',
      '+ schema: properties.notify.properties.webhooks.items.properties.template.*',
      '+ schema: properties.notify.properties.webhooks.items.properties.signingSecretEnv.*',
      '+ schema: properties.notify.properties.webhooks.items.properties.signingSecretFile.*',
    ],
  },
];
