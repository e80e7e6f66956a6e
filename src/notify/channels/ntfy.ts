import { NO_TOPIC, topicOf } from '../../config/schema/channels.ts';
import { postingChannels, targetOf } from './http-post.ts';
import { cutToBytes } from '../../core/visible-text.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { type MessageContext, notificationText, type Tone } from '../../document/notification.ts';

/** The server converts longer messages to attachments (https://docs.ntfy.sh/publish/#limitations). */
const MAX_BYTES = 4096;

/** With priority 5, phones ring and vibrate for a long time. The default is 3. */
const STYLES: Readonly<Record<Tone, { readonly priority: 3 | 4 | 5; readonly tags: readonly string[] }>> = {
  critical: { priority: 5, tags: ['rotating_light'] },
  warning: { priority: 4, tags: ['warning'] },
  good: { priority: 3, tags: ['white_check_mark'] },
  neutral: { priority: 3, tags: [] },
};

/** Sent as JSON, because HTTP headers cannot contain non-ASCII text (https://docs.ntfy.sh/publish/#publish-as-json). */
export function ntfyMessage(notification: Notification, context: MessageContext): object {
  const text = notificationText(notification, context);
  const { page, runbook } = text.links;
  return {
    title: text.subject,
    message: cutToBytes(text.paragraphs.join('\n\n'), MAX_BYTES),
    ...STYLES[text.tone],
    ...(page === null ? {} : { click: page }),
    ...(runbook === null ? {} : { actions: [{ action: 'view', label: 'Runbook', url: runbook }] }),
  };
}

export const createNtfy = postingChannels(
  'ntfy',
  ({ ntfy }) => ntfy,
  async (service, { notification }, deps) => {
    const target = await targetOf(service, deps.readSecret);
    const address = topicOf(target.url);
    if (address === null) throw new Error(NO_TOPIC);
    const { server, topic } = address;
    const body = { topic, ...ntfyMessage(notification, deps) };
    return [{ ...target, url: server, body, secrets: [...target.secrets, topic] }];
  },
);
