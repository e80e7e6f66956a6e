import { isoTime } from '../../../core/instant-text.ts';
import { eventOf, type Notification } from '../../../engine/incident/notification.ts';
import type { MessageContext } from '../../message/message-context.ts';
import { notificationText } from '../../message/notification-text.ts';
import { faultKey } from '../fault-key.ts';
import { messageParagraphs } from '../message-paragraphs.ts';

/** What a template may name. */
export const TEMPLATE_NAMES = [
  'id',
  'event',
  'site',
  'time',
  'tone',
  'title',
  'text',
  'cause',
  'subject',
  'severity',
  'incident',
  'key',
  'page',
  'runbook',
] as const;

type TemplateValues = Readonly<Record<(typeof TEMPLATE_NAMES)[number], string>>;

/** Of a notification about several incidents, or none, what is about one is empty. */
export function templateValues(notification: Notification, context: MessageContext): TemplateValues {
  const text = notificationText(notification, context);
  const incident = notification.kind === 'incident' ? notification.incident : null;
  const cause = incident?.cause ?? null;
  return {
    id: notification.id,
    event: eventOf(notification),
    site: context.site,
    time: isoTime(notification.at),
    tone: text.tone,
    title: text.subject,
    text: messageParagraphs(notification, text, context.site).join('\n'),
    cause: cause?.id ?? '',
    subject: cause?.subject ?? '',
    severity: cause?.severity ?? '',
    incident: incident?.id ?? '',
    key: cause === null ? '' : faultKey(context.site, cause.id, cause.subject),
    page: text.links.page ?? '',
    runbook: text.links.runbook ?? '',
  };
}
