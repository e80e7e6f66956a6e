import { createHash } from 'node:crypto';
import type { SecretUrl } from '../../../config/schema/secret-url.ts';
import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { isoTimeOrNull } from '../../../core/instant-text.ts';
import { type Incident, isFlapping } from '../../../engine/incident/incident.ts';
import { eventOf, type IncidentNotification, type Notification } from '../../../engine/incident/notification.ts';
import { postJson, type PostOutcome, prepareToPost } from '../http-post.ts';
import type { ChannelDeps } from '../channel-definition.ts';
import type { MessageChannel, RecipientOutcome, DeliveryRequest } from '../channel.ts';
import { incidentLinks, notificationLinks } from '../../message/links.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { authorizationOf } from '../authorization.ts';
import { readSecretUrl, placeOf } from '../secret-url.ts';
import { TOKEN_IN_CLEAR, type WebhookConfig } from './section.ts';
import { messageOf } from '../../../text/message-of.ts';

/** Posts each notification as JSON. A receiver that sees an `id` twice got the same notification twice. */
export function createWebhookChannel(config: WebhookConfig, deps: ChannelDeps): MessageChannel {
  void prepareToPost();
  return {
    kind: 'messages',
    id: 'webhook',
    recipients: [webhookName(config.url)],
    async deliver(request, signal) {
      const outcome = await post(request, signal);
      return request.recipients.map((recipient): RecipientOutcome => ({ recipient, ...outcome }));
    },
  };

  async function post(request: DeliveryRequest, signal: AbortSignal): Promise<PostOutcome> {
    const body = webhookBody(deps, request);
    try {
      const url = await readSecretUrl(config.url, deps.readSecret);
      if (config.token !== null && isReadableOnTheWay(url)) throw new Error(TOKEN_IN_CLEAR);
      const { header, secrets } = await authorizationOf({ user: null, password: null, ...config }, deps.readSecret);
      return await postJson(
        { url, body, authorization: header, secrets: [...secrets, ...secretPath(url)], caFile: config.caFile },
        deps.clock,
        signal,
      );
    } catch (error) {
      return { kind: 'deferred', detail: messageOf(error) };
    }
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
  if (secretPath(text).length === 0) return origin;
  return `${origin}/… (${createHash('sha256').update(text).digest('hex').slice(0, 8)})`;
}

/** What follows the host, whole and without the query; nothing where there is nothing. */
function secretPath(text: string): readonly string[] {
  const { pathname, search } = new URL(text);
  return pathname === '/' && search === '' ? [] : [`${pathname}${search}`, ...(pathname === '/' ? [] : [pathname])];
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
    flapping: isFlapping(incident),
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
