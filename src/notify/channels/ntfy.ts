import type { Fields } from '../../core/fields.ts';
import { authorityFile, optionalSecret, secretsNeedHttps, secretUrlField } from '../../config/schema/secret.ts';
import { type Report, textAt, unique, list, section, minSeverity, recipientName } from '../../config/schema/section.ts';
import { postingChannel, targetOf } from './http-post.ts';
import { cutToBytes } from '../../core/visible-text.ts';
import type { Notification } from '../../engine/incident/incident.ts';
import { type MessageContext, notificationText, type Tone } from '../../document/notification.ts';

const ntfyEntry = section(
  {
    name: recipientName,
    minSeverity,
    url: secretUrlField(
      'Address of the topic. On a public server, keep the topic name secret.',
      'https://ntfy.sh/topic',
    ),
    token: optionalSecret('token', 'Reads an access token from this file, if the server requires one. Requires HTTPS.'),
    caFile: authorityFile,
  },
  checkUrl,
);

const ntfySection = unique(list(ntfyEntry), textAt('name')).describe('ntfy topics, for push notifications to phones.');

const NO_TOPIC = 'expected a URL that ends in a topic of at most 64 letters, digits, "_" and "-"';

function topicOf(url: string): { readonly server: string; readonly topic: string } | null {
  const [, server, topic] = /^(https?:\/\/[^?#]*\/)([-_A-Za-z0-9]{1,64})$/u.exec(url) ?? [];
  return server === undefined || topic === undefined || /^https?:\/\/$/u.test(server) ? null : { server, topic };
}

function checkUrl(fields: Fields, report: Report): void {
  if (typeof fields['url'] === 'string' && topicOf(fields['url']) === null) report('url', NO_TOPIC);
  secretsNeedHttps(fields, report);
}

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

export const ntfy = postingChannel(
  { id: 'ntfy', name: 'ntfy', key: 'ntfy', section: ntfySection },
  async (service, { notification }, deps) => {
    const target = await targetOf(service, deps.readSecret);
    const address = topicOf(target.url);
    if (address === null) throw new Error(NO_TOPIC);
    const { server, topic } = address;
    const body = { topic, ...ntfyMessage(notification, deps) };
    return [{ ...target, url: server, body, secrets: [...target.secrets, topic] }];
  },
);
