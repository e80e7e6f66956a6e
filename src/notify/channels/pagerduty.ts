import { compareSeverity, type Severity } from '../../core/severity.ts';
import { postingChannels } from './http-post.ts';
import { isoTime } from '../../core/time-text.ts';
import { visibleText } from '../../core/visible-text.ts';
import type {
  NamedCause,
  IncidentNotification,
  Notification,
  TestNotification,
} from '../../engine/incident/incident.ts';
import {
  type MessageContext,
  notificationText,
  digestItems,
  faultKey,
  TEST_MESSAGE,
} from '../../document/notification.ts';

/** https://developer.pagerduty.com/docs/send-alert-event, without the routing key. */
type PagerdutyEvent = TriggerEvent | ResolveEvent;

interface ResolveEvent {
  readonly event_action: 'resolve';
  readonly dedup_key: string;
}

interface TriggerEvent {
  readonly event_action: 'trigger';
  /** At most 255 characters. */
  readonly dedup_key: string;
  readonly client: 'ftm-watch';
  readonly client_url?: string;
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  readonly payload: {
    /** At most 1024 characters. */
    readonly summary: string;
    readonly source: string;
    readonly severity: Severity;
    readonly timestamp: string;
    readonly component: string;
    readonly group: string;
    readonly class: string;
    readonly custom_details: Readonly<Record<string, string>>;
  };
}

const MAX_TEXT = 1_000;

/**
 * Returns the events in the order in which they must be sent. Repetitions do no harm, because PagerDuty merges events
 * with the same key. If an incident's cause changes, the alert for the previous cause is resolved unless another open
 * incident has that cause.
 */
export function pagerdutyEvents(notification: Notification, context: MessageContext): readonly PagerdutyEvent[] {
  switch (notification.kind) {
    case 'incident':
      return incidentEvents(notification, context);
    case 'digest':
      return digestItems(notification).flatMap((item) => incidentEvents(item, context));
    case 'note':
      // PagerDuty alerts people about ongoing faults, whereas a note describes a past event.
      return [];
    case 'test':
      return testEvents(notification, context);
  }
}

function incidentEvents(notification: IncidentNotification, context: MessageContext): readonly PagerdutyEvent[] {
  const { event, incident, stillOpen } = notification;
  const { cause, lastNotified } = incident;
  const keyOf = (id: string, subject: string): string => faultKey(context.site, id, subject);
  const own = keyOf(cause.id, cause.subject);
  const named = (lastNotified?.named ?? []).map((one: NamedCause) => keyOf(one.cause, one.subject));
  const open = new Set(stillOpen.map(({ id, subject }) => keyOf(id, subject)));
  const over = named.filter((key) => key !== own && !open.has(key)).map(resolve);
  if (event !== 'resolved') return [trigger(notification, own, context), ...over];
  // The fault may have returned as another incident, whose alert has the same key. A less severe one may not be sent to
  // this channel, which would then never resolve the alert.
  const hasReturned = stillOpen.some(
    (one) => keyOf(one.id, one.subject) === own && compareSeverity(one.severity, cause.severity) <= 0,
  );
  return hasReturned ? over : [resolve(own), ...over];
}

function resolve(key: string): ResolveEvent {
  return { event_action: 'resolve', dedup_key: key };
}

function trigger(notification: IncidentNotification, key: string, context: MessageContext): TriggerEvent {
  const { event, incident } = notification;
  const { cause, causeSince } = incident;
  const { subject, action, links } = notificationText(notification, context);
  return {
    event_action: 'trigger',
    dedup_key: key,
    client: 'ftm-watch',
    ...(links.page === null ? {} : { client_url: links.page }),
    ...(links.runbook === null ? {} : { links: [{ href: links.runbook, text: 'Runbook' }] }),
    payload: {
      summary: subject,
      source: visibleText(cause.subject, MAX_TEXT),
      severity: cause.severity,
      timestamp: isoTime(causeSince),
      component: cause.precondition,
      group: context.site,
      class: cause.id,
      custom_details: {
        event,
        action: visibleText(action, MAX_TEXT),
        summary: visibleText(cause.summary, MAX_TEXT),
        impact: visibleText(cause.impact, MAX_TEXT),
        confidence: cause.confidence,
        incident: incident.id,
      },
    },
  };
}

/** The test alert is resolved immediately, so that nobody is alerted for long. */
function testEvents(notification: TestNotification, context: MessageContext): readonly PagerdutyEvent[] {
  const key = faultKey(context.site, 'test', notification.id);
  const { subject, action } = notificationText(notification, context);
  return [
    {
      event_action: 'trigger',
      dedup_key: key,
      client: 'ftm-watch',
      payload: {
        summary: subject,
        source: context.site,
        severity: 'info',
        timestamp: isoTime(notification.at),
        component: 'test',
        group: context.site,
        class: 'test',
        custom_details: { event: 'test', action, summary: TEST_MESSAGE },
      },
    },
    resolve(key),
  ];
}

export const createPagerduty = postingChannels(
  'pagerduty',
  ({ pagerduty }) => pagerduty,
  async ({ url, routingKey }, { notification }, deps) => {
    const key = await deps.readSecret(routingKey);
    return pagerdutyEvents(notification, deps).map((event) => ({
      url,
      body: { routing_key: key, ...event },
      secrets: [key],
    }));
  },
);
