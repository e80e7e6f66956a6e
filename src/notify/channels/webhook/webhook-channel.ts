import { createHash } from 'node:crypto';
import type { SecretUrl } from '../../../config/schema/secret-url.ts';
import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { isoTimeOrNull } from '../../../core/instant-text.ts';
import type { Incident } from '../../../engine/incident/incident.ts';
import { eventOf, type IncidentNotification, type Notification } from '../../../engine/incident/notification.ts';
import type { JsonPost } from '../http-post.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel, DeliveryRequest } from '../channel.ts';
import { incidentLinks, notificationLinks } from '../../message/links.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { authorizationOf, TOKEN_IN_CLEAR } from '../authorization.ts';
import { createPostingChannel } from '../posting-channel.ts';
import { readSecretUrl, placeOf, secretPartsOf } from '../secret-url.ts';
import { filled } from './json-template.ts';
import type { WebhookConfig } from './section.ts';
import { signatureHeaders } from './signature.ts';
import { templateValues } from './template-values.ts';

/** Posts each notification as JSON. A receiver that sees an `id` twice got the same notification twice. */
export function createWebhookChannel(config: WebhookConfig, deps: ChannelDeps): MessageChannel {
  const { name, minSeverity, template, token, signingSecret, caFile } = config;
  return createPostingChannel(
    {
      id: 'webhook',
      recipient: name ?? webhookName(config.url),
      minSeverity,
      posts: async (request) => [await postOf(request)],
    },
    deps,
  );

  async function postOf(request: DeliveryRequest): Promise<JsonPost> {
    const { notification } = request;
    const body = template === null ? webhookBody(deps, request) : filled(template, templateValues(notification, deps));
    const url = await readSecretUrl(config.url, deps.readSecret);
    if (token !== null && isReadableOnTheWay(url)) throw new Error(TOKEN_IN_CLEAR);
    const { header, secrets } = await authorizationOf({ user: null, password: null, token }, deps.readSecret);
    const signed = { id: notification.id, body: JSON.stringify(body), at: deps.clock.now() };
    const headers = signingSecret === null ? {} : signatureHeaders(signed, await deps.readSecret(signingSecret));
    return { url, body, headers, authorization: header, secrets: [...secrets, ...secretPartsOf(url)], caFile };
  }
}

/**
 * What it is called in the log and in the store, where its path, which is a secret, must not stand: by its host, and a
 * hash that tells it from others there; one that is read from elsewhere, by that.
 */
function webhookName(url: SecretUrl): string {
  if (typeof url !== 'string') return placeOf(url);
  const text = url;
  const { origin } = new URL(text);
  if (secretPartsOf(text).length === 0) return origin;
  return `${origin}/… (${createHash('sha256').update(text).digest('hex').slice(0, 8)})`;
}

/** The JSON body, part of the contract: documented in docs/alerts.md. */
function webhookBody(context: MessageContext, { notification, firstFailedAt }: DeliveryRequest): object {
  return {
    version: 1,
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

/** An incident as programs see it. */
function incidentJson(incident: Incident, context: MessageContext): object {
  return {
    id: incident.id,
    status: incident.status,
    links: incidentLinks(incident, context),
    flapping: incident.flapping,
    since: isoTimeOrNull(incident.since),
    causeSince: isoTimeOrNull(incident.causeSince),
    openedAt: isoTimeOrNull(incident.openedAt),
    closedAt: isoTimeOrNull(incident.closedAt),
    lastSeen: isoTimeOrNull(incident.lastSeen),
    cause: incident.cause,
    formerCauses: incident.formerCauses.map(({ id, subject, severity, since, until }) => ({
      id,
      subject,
      severity,
      since: isoTimeOrNull(since),
      until: isoTimeOrNull(until),
    })),
    merged: incident.merged,
    mergedInto: incident.mergedInto,
  };
}
