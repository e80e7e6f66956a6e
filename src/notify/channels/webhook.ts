import { createHash, createHmac } from 'node:crypto';
import type { Channel, ChannelDeps, MessageChannel, DeliveryRequest } from './channel.ts';
import type { ChannelsConfig } from '../../config/schema/channels.ts';
import type { SecretUrl } from '../../config/schema/secret.ts';
import { isOfOneIncident, type JsonTemplate } from '../../config/schema/webhook-template.ts';
import { filled, templateValues } from './webhook-template.ts';
import { createPostingChannel, secretPartsOf, targetOf } from './http-post.ts';
import { placeOf } from '../../system/secret.ts';
import { isoTimeOrNull } from '../../core/time-text.ts';
import { incidentToJson } from '../../document/incident-json.ts';
import {
  type Incident,
  eventOf,
  type IncidentNotification,
  type Notification,
} from '../../engine/incident/incident.ts';
import { digestItems, incidentLinks, notificationLinks, type MessageContext } from '../../document/notification.ts';
import type { EpochMs } from '../../core/clock.ts';

type WebhookConfig = ChannelsConfig['webhooks'][number];

/** A separate channel is created for each webhook, so that a slow webhook does not delay the others. */
export function createWebhooks({ webhooks }: Pick<ChannelsConfig, 'webhooks'>, deps: ChannelDeps): readonly Channel[] {
  return webhooks.map((config) => createWebhookChannel(config, deps));
}

function createWebhookChannel(config: WebhookConfig, deps: ChannelDeps): MessageChannel {
  const { template, escape, errorText, signingSecret } = config;
  const named = { ...config, name: config.name ?? webhookName(config.url) };
  return createPostingChannel('webhook', named, deps, async (request) => {
    const target = await targetOf(config, deps.readSecret);
    const secret = signingSecret === null ? null : await deps.readSecret(signingSecret);
    return messagesOf(request.notification, template).map((notification) => {
      const body =
        template === null
          ? webhookBody(deps, { ...request, notification })
          : filled(template, templateValues(notification, deps), escape);
      const signed = { id: notification.id, body: JSON.stringify(body), at: deps.clock.now() };
      const signature = secret === null ? {} : signatureHeaders(signed, secret);
      return { ...target, body, headers: { ...target.headers, ...signature }, errorText };
    });
  });
}

/** A service that tells incidents apart by their IDs could not close those of a digest. */
function messagesOf(notification: Notification, template: JsonTemplate | null): readonly Notification[] {
  if (notification.kind !== 'digest' || template === null || !isOfOneIncident(template)) return [notification];
  return digestItems(notification).map((item, index) => ({ ...item, id: `${item.id}-${String(index + 1)}` }));
}

/**
 * The path is secret, so a hash distinguishes webhooks on the same host. If the URL is read from a file or variable,
 * the name identifies that file or variable.
 */
function webhookName(url: SecretUrl): string {
  if (typeof url !== 'string') return placeOf(url);
  const text = url;
  const { origin } = new URL(text);
  if (secretPartsOf(text).length === 0) return origin;
  return `${origin}/… (${createHash('sha256').update(text).digest('hex').slice(0, 8)})`;
}

/** The fields are part of the API, which docs/alerting.md documents. */
function webhookBody(context: MessageContext, { notification, firstFailedAt }: DeliveryRequest): object {
  return {
    version: 2,
    id: notification.id,
    event: eventOf(notification),
    site: context.site,
    at: isoTimeOrNull(notification.at),
    firstFailedAt: isoTimeOrNull(firstFailedAt),
    links: notificationLinks(notification, context),
    ...content(notification, context),
  };
}

function content(notification: Notification, context: MessageContext): object {
  switch (notification.kind) {
    case 'incident':
      return {
        incidents: [incidentJson(notification.incident, context)],
        nextReminder: isoTimeOrNull(notification.nextReminder),
        stillOpen: stillOpenJson(notification),
      };
    case 'digest':
      return {
        incidents: notification.items.map(({ event, incident }) => ({ event, ...incidentJson(incident, context) })),
        omitted: notification.omitted,
        stillOpen: stillOpenJson(notification),
      };
    case 'note': {
      const { action, summary, sections } = notification;
      return { incidents: [], note: { action, summary, sections } };
    }
    case 'test':
      return { incidents: [] };
  }
}

function stillOpenJson({ stillOpen }: Pick<IncidentNotification, 'stillOpen'>): readonly object[] {
  return stillOpen.map((cause) => ({ ...cause, since: isoTimeOrNull(cause.since) }));
}

function incidentJson(incident: Incident, context: MessageContext): object {
  return { ...incidentToJson(incident), links: incidentLinks(incident, context) };
}

/**
 * Returns a symmetric signature as defined in Standard Webhooks 1.0.0
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). A secret that starts
 * with "whsec_" is base64-encoded.
 */
export function signatureHeaders(
  { id, body, at }: { readonly id: string; readonly body: string; readonly at: EpochMs },
  secret: string,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(at / 1_000));
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
